/** Publish keys: derived for each stream from the origin's secret, or a stream's own, of which only hashes are kept. */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StreamName } from '#shared/identifiers.ts';

/** Characters of a derived key: 144 bits, short enough to be typed into an encoder. */
const DERIVED_KEY_LENGTH = 24;
/** What the key is derived for; a change of the derivation changes the number. */
const DERIVED_KEY_CONTEXT = 'rill publish key v1:';
/** Random bytes of a stream's own key: too many to be guessed, so that a plain hash keeps it (no salt, no stretching). */
const OWN_KEY_BYTES = 24;

/** How a key's hash is written: `sha256:` and 64 hexadecimal digits. */
export const PUBLISH_KEY_HASH = /^sha256:[0-9a-f]{64}$/;

/** The derived key of one stream: base64url(HMAC-SHA256(secret, context + stream)), cut to 24 characters. */
export function publishKey(secret: string, stream: StreamName): string {
  return createHmac('sha256', secret)
    .update(DERIVED_KEY_CONTEXT + stream)
    .digest('base64url')
    .slice(0, DERIVED_KEY_LENGTH);
}

/** Makes a key for a stream's own: 32 characters of base64url. */
export function makePublishKey(): string {
  return randomBytes(OWN_KEY_BYTES).toString('base64url');
}

/** The hash under which a key is kept at rest. */
export function hashPublishKey(key: string): string {
  return `sha256:${digest(key).toString('hex')}`;
}

/** Where hashes of streams' own keys are found, such as a map; asked for each publisher. */
export interface OwnKeys {
  get(stream: StreamName): readonly string[] | undefined;
}

/** Knows which key opens which stream. */
export class PublishKeys {
  readonly #secret: string;
  readonly #own: OwnKeys;

  /** `own` has hashes by stream; a stream in it is no longer opened by its derived key. */
  constructor(secret: string, own: OwnKeys) {
    this.#secret = secret;
    this.#own = own;
  }

  /** Tells whether a key opens a stream, in a time that depends on neither the key nor which of several it is. */
  opens(stream: StreamName, key: string): boolean {
    const given = digest(key);
    const own = this.#own.get(stream)?.map((hash) => Buffer.from(hash.slice(7), 'hex'));
    const expected = own ?? [digest(publishKey(this.#secret, stream))];
    return expected.map((hash) => timingSafeEqual(given, hash)).includes(true);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
