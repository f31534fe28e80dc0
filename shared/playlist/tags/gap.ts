/** EXT-X-GAP, rfc8216bis §4.4.4.7: the next segment has no media to fetch. */

/** EXT-X-GAP. */
export interface GapTag {
  readonly kind: 'gap';
}

/** Renders EXT-X-GAP. */
export function renderGap(): string {
  return '#EXT-X-GAP';
}

/** Reads EXT-X-GAP. */
export function parseGap(): GapTag {
  return { kind: 'gap' };
}
