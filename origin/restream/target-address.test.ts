import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderOptions, restreamArguments } from './restream-arguments.ts';
import { restreamSchema } from './settings.ts';
import { parseTargetAddress, redact, type TargetAddress } from './target-address.ts';

function parse(text: string): TargetAddress {
  const parsed = parseTargetAddress(text);
  if (!parsed.ok) {
    throw new Error(parsed.failure.detail);
  }
  return parsed.value;
}

describe('addresses of targets', () => {
  test.each([
    ['rtmp://a.example.com/live2/abcd-efgh', 'rtmp://a.example.com', 'live2', 'abcd-efgh'],
    ['rtmp://a.example.com:1936/app/instance/k', 'rtmp://a.example.com:1936', 'app/instance', 'k'],
    ['rtmps://h:443/rtmp/FB-1?s_bl=1&a=b/c', 'rtmps://h:443', 'rtmp', 'FB-1?s_bl=1&a=b/c'],
    ['rtmp://[2001:db8::7]:1935/live/k', 'rtmp://[2001:db8::7]:1935', 'live', 'k'],
  ])('are taken apart: %s', (text, shown, application, key) => {
    const address = parse(text);
    expect(address).toMatchObject({ container: 'flv', shown });
    expect(address.options.get('rtmp_app')).toBe(application);
    expect(address.options.get('rtmp_playpath')).toBe(key);
    expect(address.options.get('tls_verify')).toBe(text.startsWith('rtmps') ? '1' : undefined);
  });

  test('over SRT keep stream id and passphrase apart, with the latency in ffmpeg’s microseconds', () => {
    const address = parse(
      'srt://h:9000?streamid=#!::r=x,key=k&passphrase=0123456789&pbkeylen=32&latency=200',
    );
    expect(address).toMatchObject({ container: 'mpegts', shown: 'srt://h:9000' });
    expect(Object.fromEntries(address.options)).toEqual({
      srt_streamid: '#!::r=x,key=k',
      passphrase: '0123456789',
      pbkeylen: '32',
      latency: '200000',
    });
  });

  test.each([
    ['rtmp://host/key', 'is not an address like'],
    ['rtmp://host/app/', 'is not an address like'],
    ['rtmp://user:hunter22@host/app/key', 'is not an address like'],
    ['http://host/app/key', 'is not an address like'],
    ['rtmp://host/app/key\npassphrase=x', 'holds a control character'],
    [`rtmp://host/app/${'k'.repeat(901)}`, 'has more than 900 bytes in rtmp_playpath'],
    ['srt://host', 'is not an address like srt://'],
    ['srt://host:1?passphrase=hunter22', 'passphrase needs'],
  ])('are refused with their rule: %s', (text, rule) => {
    const parsed = parseTargetAddress(text);
    expect(parsed.ok ? '' : parsed.failure.detail).toContain(rule);
    expect(parsed.ok ? '' : parsed.failure.detail).not.toContain('hunter22');
  });

  test('leave nothing of a secret in arguments or printed lines, and one option a line', () => {
    assert(
      property(string({ minLength: 6 }), (text) => {
        const parsed = parseTargetAddress(`rtmp://host/app/${text}`);
        if (!parsed.ok || !parsed.value.secrets.includes(text)) {
          return;
        }
        expect(restreamArguments('flv', parsed.value).join(' ')).not.toContain(text);
        expect(redact(`NetStream.Publish.Denied ${text}`, parsed.value)).not.toContain(text);
        expect(renderOptions(parsed.value).trimEnd().split('\n')).toHaveLength(3);
      }),
    );
  });
});

describe('the targets of a stream', () => {
  const schema = restreamSchema({ env: { KEY_URL: 'rtmp://h/app/k' }, readFile: () => '' });
  const read = (json: unknown): unknown => {
    const parsed = schema.safeParse(json);
    return parsed.success ? parsed.data.map(({ name }) => name) : parsed.error.issues[0]?.message;
  };

  test('have names, given or counted', () => {
    expect(read([{ url: { env: 'KEY_URL' } }, { url: 'srt://h:1', name: 'spare' }])).toEqual([
      'target-1',
      'spare',
    ]);
  });

  test.each([
    [[], 'expected array to have >=1 items'],
    [Array.from({ length: 9 }, () => ({ url: 'srt://h:1' })), 'expected array to have <=8 items'],
    [
      [
        { url: 'srt://h:1', name: 'a' },
        { url: 'srt://h:2', name: 'a' },
      ],
      'two targets have one name',
    ],
    [[{ url: { env: 'NONE' } }], 'environment variable NONE is not set'],
    [[{ url: 'ftp://h/a/b' }], 'is not an address like'],
    [[{ url: 'srt://h:1', name: 'Not A Name' }], 'is not a name of'],
  ])('are refused with their rule: %#', (json, rule) => {
    expect(read(json)).toContain(rule);
  });
});
