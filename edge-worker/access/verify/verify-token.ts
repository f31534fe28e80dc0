/** The isolate's own verifier. */

import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { Result } from '../../../shared/result.ts';
import { logEvent } from '../../log.ts';
import type { RemoteKeyParts } from './remote-keys.ts';
import { TokenVerifier, type VerifyContext } from './token-verifier.ts';

/** How long a data centre keeps the last good text of a key set, seconds: for days on which its host is dead. */
const STORED_SECONDS = 86_400;

const parts: RemoteKeyParts = {
  fetch: (url, init) => fetch(url, init),
  store: {
    get: async (url) => (await caches.default.match(storedAt(url)))?.text(),
    put: async (url, text) => {
      const headers = { 'cache-control': `max-age=${STORED_SECONDS}` };
      await caches.default.put(storedAt(url), new Response(text, { headers }));
    },
  },
  log: logEvent,
};
const verifier = new TokenVerifier(parts);

/** Tells what a token grants, or why it is no token of ours; see {@link TokenVerifier.verify}. */
export async function verifyToken(token: string, context: VerifyContext): Promise<Result<Grant, Denial>> {
  return verifier.verify(token, context);
}

function storedAt(url: string): string {
  return `https://jwks.rill/${encodeURIComponent(url)}`;
}
