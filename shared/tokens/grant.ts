/** What a viewer may do: the one type every kind of token becomes, and the reasons to say no. */

import type { StreamName } from '../identifiers.ts';

/** A verified right to play. Times are Unix seconds. */
export interface Grant {
  readonly viewer: string | undefined;
  readonly stream: StreamName;
  readonly notBefore: number | undefined;
  readonly expires: number;
  /** ISO 3166-1 alpha-2 countries from which it holds; `undefined` means from anywhere. */
  readonly countries: readonly string[] | undefined;
  /** Largest picture height, in luma samples. */
  readonly maxHeight: number | undefined;
}

/** Why a request is not answered with media. */
export type Denial =
  | { readonly reason: 'token-missing' }
  | { readonly reason: 'token-malformed'; readonly detail: string }
  | { readonly reason: 'token-forged'; readonly detail: string }
  | { readonly reason: 'token-expired'; readonly expired: number; readonly now: number }
  | { readonly reason: 'token-not-yet-valid'; readonly notBefore: number; readonly now: number }
  | { readonly reason: 'other-stream'; readonly granted: StreamName; readonly asked: StreamName }
  | { readonly reason: 'country-blocked'; readonly country: string | undefined }
  /** The picture is higher than the grant's limit; `undefined` where no rendition is low enough or its height is not known. */
  | { readonly reason: 'above-height'; readonly height: number | undefined; readonly limit: number };

/** HTTP status of a denial: 401 not authenticated, 403 not allowed, 451 blocked by region. */
export function denialStatus(denial: Denial): 401 | 403 | 451 {
  switch (denial.reason) {
    case 'other-stream':
    case 'above-height':
      return 403;
    case 'country-blocked':
      return 451;
    case 'token-missing':
    case 'token-malformed':
    case 'token-forged':
    case 'token-expired':
    case 'token-not-yet-valid':
      return 401;
  }
}
