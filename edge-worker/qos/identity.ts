/** Who a point is about, so that neither a viewer's name nor address nor token is ever stored. */

import { base64url } from 'jose';
import type { Admission } from '../gateway/authorize.ts';
import { Recent } from './intake/recent.ts';

/** The stored ids of a viewer and of one of the viewer's playback sessions. */
export interface QosIdentity {
  readonly viewer: string;
  readonly session: string;
}

/** Letters of an id: 96 bits. */
const ID_LENGTH = 16;
const DAY_MS = 86_400_000;
/** Ids remembered by an isolate, some 500 bytes each: a viewer's requests follow one another. */
const MAX_KNOWN = 10_000;

const known = new Recent<QosIdentity>(MAX_KNOWN);

let imported: { readonly secret: string; readonly key: Promise<CryptoKey> } | undefined;

/**
 * Derives the ids. A session's id hangs on its viewer, so nobody can write into the session of another; the
 * viewer's id changes with the day (UTC). `now` is Unix milliseconds.
 */
export async function identify(input: {
  readonly secret: string;
  readonly admission: Pick<Admission, 'own' | 'found'>;
  readonly stream: string;
  /** The session's id as the player chose it; `''` where it has none, and none is derived. */
  readonly session: string;
  readonly now: number;
}): Promise<QosIdentity> {
  const { secret, admission, stream, session, now } = input;
  const who = bearerOf(admission, session);
  const day = String(Math.floor(now / DAY_MS));
  const asked = JSON.stringify([secret, day, who, stream, session]);
  const before = known.get(asked);
  if (before !== undefined) {
    return before;
  }
  const [viewer, ours] = await Promise.all([
    keyedHash(secret, ['qos-viewer', day, who]),
    session === '' ? '' : keyedHash(secret, ['qos-session', who, stream, session]),
  ]);
  const identity = { viewer, session: ours };
  known.set(asked, identity);
  return identity;
}

/** Whoever the token names, else the session that the edge began, else the token; without one, the session alone. */
function bearerOf({ own, found }: Pick<Admission, 'own' | 'found'>, session: string): string {
  if (own.viewer !== undefined) {
    return `viewer:${own.viewer}`;
  }
  if (own.session !== undefined) {
    return `session:${own.session}`;
  }
  return found === undefined ? `public:${session}` : `token:${found.token}`;
}

async function keyedHash(secret: string, parts: readonly string[]): Promise<string> {
  if (imported?.secret !== secret) {
    const bytes = new TextEncoder().encode(secret);
    const key = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    imported = { secret, key };
  }
  const text = new TextEncoder().encode(JSON.stringify(parts));
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await imported.key, text));
  return base64url.encode(mac).slice(0, ID_LENGTH);
}
