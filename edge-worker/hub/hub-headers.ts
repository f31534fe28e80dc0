/** Headers by which a hub tells delivery what it needs to know; they never reach a player. */

/** Header of a 404 that object storage may still answer: its value is `storage`. */
export const LOOKUP_HEADER = 'rill-lookup';
/** With {@link LOOKUP_HEADER} on a whole segment: how many parts it is the concatenation of. */
export const PARTS_HEADER = 'rill-parts';
/** Header of a playlist: EXT-X-TARGETDURATION, seconds. */
export const TARGET_DURATION_HEADER = 'rill-target-duration';
/** Header of a playlist: PART-TARGET, seconds. */
export const PART_TARGET_HEADER = 'rill-part-target';
