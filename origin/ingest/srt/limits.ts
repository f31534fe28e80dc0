/** Limits of SRT ingest. */

/** What a listener allows; all times in milliseconds. */
export interface SrtLimits {
  /** Silence after which a peer is taken for gone (SRTO_PEERIDLETIMEO). */
  readonly peerIdleMs: number;
  /** A connection that lives but sends nothing for so long is ended. */
  readonly stallMs: number;
  /** An admission whose handshake is not finished after so long is released. */
  readonly handshakeMs: number;
  /** A call that is not answered after so long has failed (SRTO_CONNTIMEO). */
  readonly connectMs: number;
  /** Bytes that wait for a slow pipeline before reading pauses. */
  readonly queueBytes: number;
}

/** Defaults. */
export const DEFAULT_SRT_LIMITS: SrtLimits = {
  // As libsrt's own default: shorter would end a connection over a roaming phone or a rerouted path.
  peerIdleMs: 5_000,
  // Encoders send at least audio or padding all the time.
  stallMs: 10_000,
  // A caller gives up after 3 s by default (SRTO_CONNTIMEO).
  handshakeMs: 5_000,
  // libsrt's own default.
  connectMs: 3_000,
  // 2 s at 30 Mbit/s: longer than a restart of the transcoder takes.
  queueBytes: 8 * 1024 * 1024,
};
