/** EXT-X-DISCONTINUITY, rfc8216bis §4.4.4.3: encoding or time stamps change before the next segment. */

/** EXT-X-DISCONTINUITY. */
export interface DiscontinuityTag {
  readonly kind: 'discontinuity';
}

/** Renders EXT-X-DISCONTINUITY. */
export function renderDiscontinuity(): string {
  return '#EXT-X-DISCONTINUITY';
}

/** Reads EXT-X-DISCONTINUITY. */
export function parseDiscontinuity(): DiscontinuityTag {
  return { kind: 'discontinuity' };
}
