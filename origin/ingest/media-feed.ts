/** What every ingest protocol turns its bytes into: one feed of a stream, and the gate that admits it. */

import type { Result } from '#shared/result.ts';
import type { StreamName } from '#shared/identifiers.ts';

/** Video of a source, read from its real parameter sets. */
export interface SourceVideo {
  readonly codec: 'h264' | 'hevc' | 'av1' | 'vp9';
  readonly width: number;
  readonly height: number;
  /** Frames per second as the source states it, or `undefined` where it does not. */
  readonly frameRate: number | undefined;
  /** Pictures may be coded as fields. */
  readonly interlaced?: boolean | undefined;
  /** Degrees clockwise by which pictures are to be turned for display. */
  readonly rotation?: 0 | 90 | 180 | 270 | undefined;
}

/** Audio of a source. */
export interface SourceAudio {
  readonly codec: 'aac' | 'opus';
  readonly sampleRate: number;
  readonly channels: number;
  /** ISO 639 as the source has it, `undefined` where it does not say. */
  readonly language?: string | undefined;
  /** Id of the elementary stream: the PID of MPEG-TS. */
  readonly streamId?: number | undefined;
}

/** What a source carries; at least one of the two is there. */
export interface SourceProperties {
  readonly video: SourceVideo | undefined;
  readonly audio: SourceAudio | undefined;
  /** Further audio tracks, such as other languages, in the source's order. */
  readonly moreAudio?: readonly SourceAudio[] | undefined;
}

/** How bytes are framed. */
export type FeedContainer = 'flv' | 'mpegts' | 'matroska';

/** Why a feed ended. */
export type FeedEnd =
  /** The encoder said goodbye (RTMP FCUnpublish/deleteStream, SRT shutdown). */
  | { readonly reason: 'unpublished' }
  /** The connection broke. */
  | { readonly reason: 'connection-lost'; readonly detail: string }
  /** Nothing arrived for the time limit. */
  | { readonly reason: 'stalled'; readonly afterSeconds: number }
  /** The origin ended it. */
  | { readonly reason: 'closed'; readonly detail: string }
  /** The bytes were not what the protocol allows, or a codec is not supported. */
  | { readonly reason: 'rejected'; readonly detail: string };

/** One step of a feed. */
export type FeedEvent =
  /**
   * The source is known, or has changed: a fresh container stream starts. `preamble` is what a demuxer must
   * see first (FLV: file header and sequence headers; MPEG-TS: PAT and PMT; Matroska: all before the first
   * cluster), now and whenever it starts anew.
   */
  | {
      readonly kind: 'source';
      readonly source: SourceProperties;
      readonly preamble: Uint8Array;
      /** How the bytes of this source are framed, where its codecs need another container than the feed's. */
      readonly container?: FeedContainer | undefined;
    }
  /** Whole tags (FLV), packets (MPEG-TS) or clusters (Matroska); `randomAccess` when they begin with a key frame (or have no video). */
  | { readonly kind: 'media'; readonly bytes: Uint8Array; readonly randomAccess: boolean }
  | { readonly kind: 'end'; readonly end: FeedEnd };

/** Which of a stream's two feeds: the backup is used while the primary is lost. */
export type FeedRole = 'primary' | 'backup';

/** Reads a role as an encoder gave it: none means the primary; `undefined` where it is neither of the two. */
export function parseFeedRole(text: string | undefined): FeedRole | undefined {
  const role = text ?? 'primary';
  return role === 'primary' || role === 'backup' ? role : undefined;
}

/** A live contribution: the events come with back-pressure, and the last is always `end`. */
export interface MediaFeed {
  readonly stream: StreamName;
  readonly protocol: 'rtmp' | 'srt';
  readonly container: FeedContainer;
  readonly remoteAddress: string;
  /** When its first media was received, Unix milliseconds, where that was kept for a while before. */
  readonly heldSince?: number | undefined;
  readonly events: AsyncIterable<FeedEvent>;
  /** Ends the feed from our side; `events` then yields `end` with reason `closed`. */
  close(detail: string): void;
}

/** What somebody who wants to publish shows. The name is as received, not yet checked. */
export interface PublishRequest {
  readonly protocol: 'rtmp' | 'srt';
  readonly stream: string;
  readonly key: string | undefined;
  /** `role` of the publish address, as received. */
  readonly role?: string | undefined;
  readonly remoteAddress: string;
}

/** Why nobody may publish so. */
export type PublishRefusal =
  | { readonly reason: 'invalid-name'; readonly detail: string }
  | { readonly reason: 'invalid-role'; readonly detail: string }
  | { readonly reason: 'missing-key'; readonly detail: string }
  | { readonly reason: 'wrong-key'; readonly detail: string }
  | { readonly reason: 'already-live'; readonly detail: string }
  /** An operator stopped the stream: later it may be started again. */
  | { readonly reason: 'stopped'; readonly detail: string }
  | { readonly reason: 'too-many-streams'; readonly detail: string }
  /** Who decides could not be asked: trying again may help. */
  | { readonly reason: 'not-decided'; readonly detail: string };

/** The right to publish one stream, held until released. */
export interface Admission {
  readonly stream: StreamName;
  /**
   * Where others still decide: resolves within seconds, never rejects, with the refusal or with `undefined` once the
   * name is taken. Until then nothing may be started, and a connection that is refused ends.
   */
  readonly pending?: Promise<PublishRefusal | undefined> | undefined;
  /** Hands the feed over to the pipeline; called once, as soon as the publisher may send. */
  start(feed: MediaFeed): void;
  /** Gives the name free; called once when the connection is over, started or not. */
  release(): void;
}

/** Decides who may publish, at once where it can, because SRT asks inside its handshake. */
export interface IngestGate {
  admit(request: PublishRequest): Result<Admission, PublishRefusal>;
}
