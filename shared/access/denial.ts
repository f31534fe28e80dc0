/** Why a request is not answered, and with which status. */

import type { CatAction } from './cat/cat-if.ts';
import type { Scope } from './grant.ts';

/** Why a request is not answered with what it asked for. Details are for the log alone and hold no token. */
export type Denial = Reason & {
  /** The answer that the token's issuer wants in place of Rill's own (`catif`). */
  readonly action?: CatAction;
};

type Reason =
  | { readonly reason: 'token-missing' }
  | { readonly reason: 'token-malformed'; readonly detail: string }
  | { readonly reason: 'token-forged'; readonly detail: string }
  | { readonly reason: 'unknown-key'; readonly detail: string }
  | { readonly reason: 'wrong-issuer'; readonly detail: string }
  | { readonly reason: 'wrong-audience'; readonly detail: string }
  | { readonly reason: 'token-expired'; readonly expired: number; readonly now: number }
  | { readonly reason: 'token-not-yet-valid'; readonly notBefore: number; readonly now: number }
  | { readonly reason: 'revoked'; readonly what: 'token' | 'session' | 'viewer' }
  | { readonly reason: 'scope-missing'; readonly needed: Scope }
  | { readonly reason: 'other-stream'; readonly asked: string }
  | { readonly reason: 'other-request'; readonly detail: string }
  /** The picture is higher than the limit; `undefined` where no rendition is low enough or its height is not known. */
  | { readonly reason: 'above-height'; readonly height: number | undefined; readonly limit: number }
  | { readonly reason: 'above-bitrate'; readonly limit: number }
  | { readonly reason: 'beyond-time-shift'; readonly limit: number }
  /** By the token's own area, or by the stream's policy; `rule` names what decided. */
  | { readonly reason: 'location-blocked'; readonly rule: string; readonly country: string | undefined }
  | { readonly reason: 'too-many-sessions'; readonly limit: number };

/** HTTP status of a denial: 401 not authenticated, 403 not allowed, 429 too many sessions, 451 blocked by region. */
export function denialStatus(denial: Denial): 401 | 403 | 429 | 451 {
  switch (denial.reason) {
    case 'token-missing':
    case 'token-malformed':
    case 'token-forged':
    case 'unknown-key':
    case 'wrong-issuer':
    case 'wrong-audience':
    case 'token-expired':
    case 'token-not-yet-valid':
    case 'revoked':
      return 401;
    case 'scope-missing':
    case 'other-stream':
    case 'other-request':
    case 'above-height':
    case 'above-bitrate':
    case 'beyond-time-shift':
      return 403;
    case 'location-blocked':
      return 451;
    case 'too-many-sessions':
      return 429;
  }
}
