/** Rejection codes that a caller reads from its failed handshake (`access_control.h` of libsrt, SRT_REJX_*). */

import type { PublishRefusal } from '../media-feed.ts';
import type { StreamIdFailure } from './stream-id.ts';

/** General syntax error in the stream id. */
const REJECT_BAD_REQUEST = 1400;
/** Missing or wrong key. */
const REJECT_UNAUTHORIZED = 1401;
/** As many streams as allowed are live. */
const REJECT_OVERLOAD = 1402;
/** An operator stopped the stream. */
const REJECT_FORBIDDEN = 1403;
/** The mode in `m` is not supported. */
const REJECT_BAD_MODE = 1405;
/** Somebody is publishing this stream. */
const REJECT_CONFLICT = 1409;
/** The type in `t` is not supported. */
const REJECT_UNSUPPORTED_MEDIA = 1415;
/** Who decides could not be asked: later it may be. */
const REJECT_DOWN = 1503;
/** The listener failed. */
export const REJECT_INTERNAL = 1500;

/** Picks the rejection code for why a caller may not publish. */
export function rejectionCode(failure: PublishRefusal | StreamIdFailure): number {
  switch (failure.reason) {
    case 'malformed':
    case 'invalid-name':
      return REJECT_BAD_REQUEST;
    case 'missing-key':
    case 'wrong-key':
      return REJECT_UNAUTHORIZED;
    case 'too-many-streams':
      return REJECT_OVERLOAD;
    case 'unsupported-mode':
      return REJECT_BAD_MODE;
    case 'already-live':
      return REJECT_CONFLICT;
    case 'stopped':
      return REJECT_FORBIDDEN;
    case 'unsupported-type':
      return REJECT_UNSUPPORTED_MEDIA;
    case 'not-decided':
      return REJECT_DOWN;
  }
}
