/**
 * Tokens under the edge's own secret alone, for what is no playback: keys in the registry are for playback, and whoever
 * holds one could otherwise make itself an administrator.
 */

import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { KeySource } from '../../../shared/access/key-source.ts';
import type { Result } from '../../../shared/result.ts';
import { logEvent } from '../../log.ts';
import { TokenVerifier } from './token-verifier.ts';

const NO_KEYS: readonly KeySource[] = [];

/** A verifier apart from playback's, which has other keys; with none to fetch, it never does. */
const verifier = new TokenVerifier({
  fetch: async () => Response.error(),
  store: { get: async () => undefined, put: async () => undefined },
  log: logEvent,
});

/** Tells what a token grants that is signed with the edge's secret; `now` is Unix seconds. */
export async function verifyOwnToken(
  token: string,
  edge: { readonly playSecret: string; readonly now: number },
): Promise<Result<Grant, Denial>> {
  return verifier.verify(token, { ...edge, keys: NO_KEYS, background: () => undefined });
}
