/** EXT-X-ENDLIST, rfc8216bis §4.4.3.4: nothing will be added any more. */

/** EXT-X-ENDLIST. */
export interface EndlistTag {
  readonly kind: 'endlist';
}

/** Renders EXT-X-ENDLIST. */
export function renderEndlist(): string {
  return '#EXT-X-ENDLIST';
}

/** Reads EXT-X-ENDLIST. */
export function parseEndlist(): EndlistTag {
  return { kind: 'endlist' };
}
