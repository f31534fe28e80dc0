import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePullAddress } from './pull-address.ts';
import { srtSchema } from './settings.ts';

const PASSPHRASE = 'correct horse battery';
const sources = {
  env: { SRT_NEWS: PASSPHRASE, EMPTY: '' },
  readFile: (path: string): string => {
    if (path !== '/run/secrets/news') {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    }
    return `${PASSPHRASE}\n`;
  },
};

function read(json: unknown): unknown {
  const parsed = srtSchema(sources).safeParse(json);
  return parsed.success
    ? parsed.data
    : parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
}

describe('a passphrase', () => {
  test.each([
    ['as it stands', PASSPHRASE],
    ['in the environment', { env: 'SRT_NEWS' }],
    ['in a file, whose last line may end', { file: '/run/secrets/news' }],
  ])('is read %s', (_where, passphrase) => {
    expect(read({ passphrase, keyLength: 32, latency: 500 })).toEqual({
      passphrase: PASSPHRASE,
      keyLength: 32,
      latencyMs: 500,
    });
  });

  test.each([
    [{ passphrase: 'too short' }, 'passphrase: has 9 bytes, needs 10 to 79'],
    [{ passphrase: 'ä'.repeat(40) }, 'passphrase: has 80 bytes, needs 10 to 79'],
    [{ passphrase: { env: 'EMPTY' } }, 'passphrase: environment variable EMPTY is not set'],
    [{ passphrase: { file: '/nowhere' } }, 'passphrase: /nowhere cannot be read (ENOENT)'],
    [{ passphrase: 7 }, 'passphrase: is neither a text nor {"env": NAME} nor {"file": PATH}'],
    [{ keyLength: 32 }, 'keyLength needs a passphrase'],
    [{ pull: 'srt://a:1?latency=5', latency: 6 }, 'pull: latencyMs is also in the address'],
    [{ pull: 'rtmp://a:1' }, 'pull: is not an address like srt://encoder.example.com:9000'],
  ])('and other settings are refused with their rule: %j', (json, line) => {
    expect(read(json)).toEqual([line]);
  });
});

describe('addresses of encoders', () => {
  test.each([
    ['srt://encoder:9000', { host: 'encoder', port: 9000 }],
    ['srt://encoder:9000?mode=caller', { host: 'encoder', port: 9000 }],
    ['srt://[2001:db8::7]:9000', { host: '2001:db8::7', port: 9000 }],
    ['srt://10.0.0.7:9000/?streamid=#!::r=a,m=request', { streamId: '#!::r=a,m=request' }],
    ['srt://e:9000?streamid=%23%21%3A%3Ar%3Da+b', { streamId: '#!::r=a+b' }],
    [
      'srt://e:9000?passphrase=a%26b%3Dcdefghi&pbkeylen=24&latency=400',
      { passphrase: 'a&b=cdefghi', keyLength: 24, latencyMs: 400 },
    ],
  ])('are read: %s', (text, address) => {
    expect(parsePullAddress(text)).toMatchObject({ ok: true, value: address });
  });

  test.each([
    ['srt://encoder', 'is not an address'],
    ['srt://encoder:0', 'is not an address'],
    ['srt://encoder:65536', 'is not an address'],
    ['srt://user:secret@encoder:9000', 'is not an address'],
    ['srt://e:1?mode=listener', 'mode can only be caller'],
    ['srt://e:1?latency=soon', 'latency can be 0 to 60000'],
    ['srt://e:1?latency=1&latency=2', 'given once'],
    ['srt://e:1?pbkeylen=20', 'pbkeylen can be'],
    ['srt://e:1?passphrase=secret', 'passphrase needs 10 to 79'],
    ['srt://e:1?maxbw=7', 'none of mode, streamid, passphrase, pbkeylen, latency'],
    ['srt://e:1?constructor=7', 'none of mode'],
  ])('are refused: %s', (text, rule) => {
    const parsed = parsePullAddress(text);
    expect(parsed.ok ? '' : parsed.failure.detail).toContain(rule);
    expect(parsed.ok ? '' : parsed.failure.detail).not.toContain('secret');
  });

  test('never make the reader throw', () => {
    assert(property(string(), (text) => void parsePullAddress(`srt://e:1?${text}`)));
  });
});
