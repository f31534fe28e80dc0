import { describe, expect, it } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { hashPublishKey, makePublishKey, PUBLISH_KEY_HASH, publishKey, PublishKeys } from './publish-keys.ts';

const SECRET = 'publish-secret-of-the-test';

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}

describe('a stream’s own keys', () => {
  it('are random, and kept as the SHA-256 that other tools make as well', () => {
    expect(makePublishKey()).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(makePublishKey()).not.toBe(makePublishKey());
    expect(hashPublishKey(makePublishKey())).toMatch(PUBLISH_KEY_HASH);
    expect(hashPublishKey('abc')).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('open it, each of them, in place of the derived key', () => {
    const [old, next] = [makePublishKey(), makePublishKey()];
    const keys = new PublishKeys(SECRET, new Map([[name('cam'), [old, next].map(hashPublishKey)]]));
    expect([old, next].map((key) => keys.opens(name('cam'), key))).toEqual([true, true]);
    const others = ['', hashPublishKey(old), `${old} `, makePublishKey(), publishKey(SECRET, name('cam'))];
    expect(others.map((key) => keys.opens(name('cam'), key))).toEqual(others.map(() => false));
    expect(keys.opens(name('other'), old)).toBe(false);
    expect(keys.opens(name('other'), publishKey(SECRET, name('other')))).toBe(true);
  });
});
