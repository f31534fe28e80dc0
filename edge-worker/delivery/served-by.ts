/** Where the bytes of an answer came from; the gateway keeps it from viewers. */

/** Header of delivery's answers: `hub` or `storage`. */
export const SERVED_BY_HEADER = 'rill-served-by';
/** Where an answer was made of. */
export type ServedBy = 'hub' | 'storage';
