/** The one error that bytes from an encoder can cause. */

/** What rule the peer's bytes broke. */
export type RtmpProtocolErrorCode =
  | 'not-rtmp'
  | 'malformed-chunk'
  | 'malformed-message'
  | 'message-too-large'
  | 'too-many-chunk-streams'
  | 'too-much-unfinished';

/** Thrown by the readers when a peer breaks the protocol or a limit; ends that connection and nothing else. */
export class RtmpProtocolError extends Error {
  override readonly name = 'RtmpProtocolError';
  readonly code: RtmpProtocolErrorCode;

  constructor(code: RtmpProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
