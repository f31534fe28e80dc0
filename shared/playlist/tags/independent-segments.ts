/** EXT-X-INDEPENDENT-SEGMENTS, rfc8216bis §4.4.2.1: every segment can be decoded on its own. */

/** EXT-X-INDEPENDENT-SEGMENTS. */
export interface IndependentSegmentsTag {
  readonly kind: 'independent-segments';
}

/** Renders EXT-X-INDEPENDENT-SEGMENTS. */
export function renderIndependentSegments(): string {
  return '#EXT-X-INDEPENDENT-SEGMENTS';
}

/** Reads EXT-X-INDEPENDENT-SEGMENTS. */
export function parseIndependentSegments(): IndependentSegmentsTag {
  return { kind: 'independent-segments' };
}
