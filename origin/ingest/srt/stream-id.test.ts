import { assert, property, string, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rejectionCode } from './rejection.ts';
import { parseStreamId } from './stream-id.ts';

const NAME = stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const KEY = stringMatching(/^[A-Za-z0-9_=-]{1,64}$/);

describe('stream ids that ask to publish', () => {
  test.each([
    ['#!::r=live/cam,m=publish,key=s3cret', 'cam', 's3cret'],
    ['#!::m=publish,key=s3cret,r=live/cam', 'cam', 's3cret'],
    ['#!::r=cam,m=publish,key=s3cret', 'cam', 's3cret'],
    ['#!::r=cam,key=s3cret', 'cam', 's3cret'],
    ['#!::u=admin,h=example.com,t=stream,s=1,bmd_uuid=7,r=live/cam,m=publish,key=a', 'cam', 'a'],
    ['#!::r=live/cam,m=publish,key=a=b==', 'cam', 'a=b=='],
    ['#!::r=live/cam,m=publish', 'cam', undefined],
    ['#!::r=live/cam,m=publish,key=', 'cam', undefined],
    ['#!::r=live/../cam,m=publish,key=a', '../cam', 'a'],
    ['publish:cam:s3cret', 'cam', 's3cret'],
    ['publish:live/cam:s3cret', 'cam', 's3cret'],
    ['publish:cam:a:b', 'cam', 'a:b'],
    ['publish:cam', 'cam', undefined],
  ])('reads %s', (text, stream, key) => {
    expect(parseStreamId(text)).toEqual({ ok: true, value: { stream, key, role: undefined } });
  });

  test.each([
    ['SRS', '#!::h=srs.example.com,r=live/cam?secret=s3cret,m=publish', 'cam', 's3cret'],
    ['SRS without r', '#!::h=live/cam?key=s3cret,m=publish', 'cam', 's3cret'],
    ['Wowza', '#!::m=publish,r=live/_definst_/cam,key=s3cret', 'cam', 's3cret'],
    ['Haivision, with a name and a resource alone', '#!::r=live/cam?key=s3cret,u=maker', 'cam', 's3cret'],
    ['MediaMTX', 'publish:live/cam?key=s3cret', 'cam', 's3cret'],
    ['OvenMediaEngine', 'default/live/cam?key=s3cret', 'cam', 's3cret'],
    ['OvenMediaEngine before 0.18', 'srt://origin:9000/live/cam?key=s3cret', 'cam', 's3cret'],
    ['OvenMediaEngine, escaped', 'srt%3A%2F%2Forigin%3A9000%2Flive%2Fcam%3Fkey%3Ds3cret', 'cam', 's3cret'],
    ['vMix with a path', '/live/cam?key=s3cret', 'cam', 's3cret'],
    ['an RTMP stream key', 'cam?key=s3cret', 'cam', 's3cret'],
    ['a name alone', 'cam', 'cam', undefined],
    ['an id escaped as in a URL', '%23!::r=live/cam,m=publish,key=s3cret', 'cam', 's3cret'],
    ['an id escaped throughout', '%23%21%3A%3Ar%3Dlive%2Fcam%2Ckey%3Ds3cret', 'cam', 's3cret'],
    ['a token', '#!::r=live/cam,token=a.b.c', 'cam', 'a.b.c'],
    ['a key that is escaped in a query', 'live/cam?key=a%3Db', 'cam', 'a=b'],
  ])('reads what encoders set up for others send: %s', (_who, text, stream, key) => {
    expect(parseStreamId(text)).toEqual({ ok: true, value: { stream, key, role: undefined } });
  });

  test.each([
    ['#!::r=live/cam,m=publish,key=a,role=backup', 'backup'],
    ['#!::r=live/cam,m=publish,key=a,role=primary', 'primary'],
    ['#!::r=live/cam?key=a&role=backup', 'backup'],
    ['publish:cam?role=backup:a', 'backup'],
    ['publish:cam:a,role=backup', 'backup'],
    ['#!::r=live/cam,key=a,role=spare', 'spare'],
    ['live/cam?key=a&role=backup', 'backup'],
  ])('reads the role of %s', (text, role) => {
    expect(parseStreamId(text)).toEqual({ ok: true, value: { stream: 'cam', key: 'a', role } });
  });

  test.each([
    ['#!::r=live/cam,m=publish,key=s3cret,role=backup', 'backup'],
    ['#!::role=primary,r=live/cam,m=publish,key=s3cret', 'primary'],
    ['publish:cam:s3cret,role=backup', 'backup'],
  ])('reads the role of %s', (text, role) => {
    expect(parseStreamId(text)).toEqual({ ok: true, value: { stream: 'cam', key: 's3cret', role } });
  });

  test('reads back any name and key in both forms', () => {
    assert(
      property(NAME, KEY, (stream, key) => {
        const value = { ok: true, value: { stream, key, role: undefined } };
        expect(parseStreamId(`#!::r=live/${stream},m=publish,key=${key}`)).toEqual(value);
        expect(parseStreamId(`publish:${stream}:${key}`)).toEqual(value);
      }),
    );
  });
});

describe('stream ids that are refused', () => {
  test.each([
    ['', 1400],
    [':', 1400],
    ['a:b/c:d', 1405],
    ['http://origin/live/cam', 1400],
    ['live/', 1400],
    ['live/cam?key', 1400],
    ['live/cam?key=a&key=b', 1400],
    ['#!::', 1400],
    ['#!::r', 1400],
    ['#!::=x', 1400],
    ['#!::r=live/,m=publish', 1400],
    ['#!::m=publish,key=a', 1400],
    ['#!::r=a,r=b,m=publish', 1400],
    ['#!::r=live/cam,m=publish,key=a,', 1400],
    ['#!:{r=live/cam,m=publish}', 1400],
    [`#!::r=live/cam,m=publish,key=${'ä'.repeat(300)}`, 1400],
    ['#!::r=live/cam,m=request,key=a', 1405],
    ['#!::r=live/cam,m=bidirectional,key=a', 1405],
    ['read:cam:a', 1405],
    ['#!::r=live/cam,m=publish,t=file,key=a', 1415],
  ])('refuses %s with %i', (text, code) => {
    const outcome = parseStreamId(text);
    expect(outcome.ok).toBe(false);
    expect(outcome.ok ? undefined : rejectionCode(outcome.failure)).toBe(code);
  });

  test('never throws, and never repeats a key in its detail', () => {
    assert(
      property(string({ maxLength: 600 }), (text) => {
        const outcome = parseStreamId(`#!::key=s3cretkey,${text}`);
        expect(outcome.ok ? '' : outcome.failure.detail).not.toContain('s3cretkey');
        parseStreamId(text);
      }),
    );
  });
});
