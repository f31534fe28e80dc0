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
    case 'invalid-role':
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

/** What libsrt's own reasons mean to an operator (`srt.h`, enum SRT_REJECT_REASON). */
const LIBRARY_REASONS: ReadonlyMap<number, string> = new Map([
  [2, 'the encoder refused the connection'],
  [4, 'what answers is no SRT encoder'],
  [5, 'the encoder takes no more connections'],
  [7, 'the encoder closes'],
  [8, "the encoder's version of SRT is too old"],
  [10, 'the passphrase is not the one that the encoder has'],
  [11, 'one side has a passphrase and the other has none'],
  [16, 'no answer: check host, port and firewall, and that the encoder listens'],
]);
/** First of the codes that listeners choose. */
const FIRST_CHOSEN = 1000;

/** One sentence on why a call failed, from the code of `srt_getrejectreason`. */
export function describeHandshakeFailure(code: number): string {
  const known = LIBRARY_REASONS.get(code);
  if (known !== undefined) {
    return known;
  }
  return code >= FIRST_CHOSEN
    ? `the encoder refused the stream id with code ${code}`
    : `the handshake failed (SRT reason ${code})`;
}
