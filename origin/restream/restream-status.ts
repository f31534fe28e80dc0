/** How pushing a stream on to one target goes; without secrets, so that it may be shown. */

/** One target. */
export interface RestreamStatus {
  readonly name: string;
  /** Protocol, host and port; the rest of the address is a secret. */
  readonly address: string;
  /**
   * `idle` while the stream is not live, `waiting` for a key frame or the end of a back-off, `connecting` until the
   * target has taken media, then `live`.
   */
  readonly state: 'idle' | 'waiting' | 'connecting' | 'live';
  /** Media that the target has taken since the origin started, bytes. */
  readonly sentBytes: number;
  /** Media that waits for it, bytes. */
  readonly queuedBytes: number;
  /** Failures since the origin started. */
  readonly failures: number;
  /** Why the last run failed; `undefined` once the target is live again. */
  readonly lastFailure: string | undefined;
}
