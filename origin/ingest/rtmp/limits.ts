/** Every bound of RTMP ingest: what one connection and all of them together may take. */

/** Bounds of RTMP ingest. Sizes are bytes, times milliseconds. */
export interface RtmpLimits {
  /** Largest message; a key frame of a 100 Mbit/s 4K encoder is about 4 MiB. */
  readonly messageBytes: number;
  /** Largest command message; a connect command is under 1 KiB. */
  readonly commandBytes: number;
  /** Chunk streams one connection may open; encoders use two to eight. */
  readonly chunkStreams: number;
  /** Unfinished messages of one connection, over all chunk streams, so that interleaving cannot multiply memory. */
  readonly unfinishedBytes: number;
  /** Connections at once. */
  readonly connections: number;
  /** Connections at once from one address; generous because encoders share addresses behind NAT. */
  readonly connectionsPerAddress: number;
  /** From accept to the end of the handshake: three round trips on the worst of links. */
  readonly handshakeMs: number;
  /** From the end of the handshake to `publish`. */
  readonly firstPublishMs: number;
  /** From `publish` to the first sequence header. */
  readonly firstSourceMs: number;
  /** Without any audio or video message while publishing. */
  readonly stallMs: number;
  /** Silence of a publisher after which it is pinged, again and again; a write reveals a peer that is gone. */
  readonly pingMs: number;
  /** Between our last word and destroying the socket, so that the peer can read why. */
  readonly closeGraceMs: number;
  /** Media waiting for a slow consumer above which the socket is paused: about 8 s of 4 Mbit/s. */
  readonly queueHighBytes: number;
  /** Media waiting at which the socket is resumed. */
  readonly queueLowBytes: number;
  /** Our answers that a peer leaves unread before it is cut off. */
  readonly unsentBytes: number;
}

/** The bounds that are used unless told otherwise. */
export const RTMP_LIMITS: RtmpLimits = {
  messageBytes: 8 * 1024 * 1024,
  commandBytes: 64 * 1024,
  chunkStreams: 64,
  unfinishedBytes: 16 * 1024 * 1024,
  connections: 256,
  connectionsPerAddress: 64,
  handshakeMs: 5_000,
  firstPublishMs: 10_000,
  firstSourceMs: 10_000,
  stallMs: 10_000,
  pingMs: 3_000,
  closeGraceMs: 1_000,
  queueHighBytes: 4 * 1024 * 1024,
  queueLowBytes: 1024 * 1024,
  unsentBytes: 1024 * 1024,
};
