/** Makes feed events of FLV tags: finds out what the source carries, then hands tags on, and notices changes. */

import { ok, type Result } from '#shared/result.ts';
import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import type { FeedEvent } from '../media-feed.ts';
import { readAudioTag } from './audio-tag.ts';
import type { CodecTag } from './codec-tag.ts';
import { FLV_VIDEO, writeFlvTag, type FLV_AUDIO, type FlvTag } from './flv-tag.ts';
import {
  readAudioTrack,
  readVideoTrack,
  rejectedSource,
  sourceProperties,
  writePreamble,
  type SourceFailure,
  type SourceTracks,
} from './source-tracks.ts';
import type { StreamMetadata } from './stream-metadata.ts';
import { readVideoTag } from './video-tag.ts';

/** A tag of audio or video. */
export type MediaTag = FlvTag & { readonly type: typeof FLV_AUDIO | typeof FLV_VIDEO };

interface KeptFrame {
  readonly tag: MediaTag;
  readonly key: boolean;
}

/** Media time to wait for a second track that nobody has spoken of: some ten frames. */
const UNSTATED_TRACK_MEDIA_MS = 300;
/** The same on the wall clock, for a source whose time stamps stand still. */
const UNSTATED_TRACK_WALL_MS = milliseconds(500);
/** How long to wait for a track the metadata promises, in both times: a microphone that starts late. */
const PROMISED_TRACK_MS = milliseconds(2_000);
/** Media kept until the source is known: 2 s of 32 Mbit/s; then the source is what is known so far. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Reads the tags of one publication in their order. At first it collects until the tracks are known; then each
 * frame comes out at once. A sequence header that differs, or that of a new track, begins a new source with the
 * next random access point.
 */
export class SourceAssembler {
  #phase: 'collecting' | 'live' | 'changed' = 'collecting';
  #tracks: SourceTracks = { video: undefined, audio: undefined };
  #metadata: StreamMetadata | undefined;
  #kept: KeptFrame[] = [];
  #keptBytes = 0;
  /** Time stamp of the first sequence header. */
  #firstTimestamp: number | undefined;
  #keyFrameSeen = false;

  /** How long the shell waits at most before it calls {@link decide}; `undefined` when there is nothing to wait for. */
  get decisionWait(): Milliseconds | undefined {
    if (this.#phase !== 'collecting' || this.#firstTimestamp === undefined) {
      return undefined;
    }
    return this.#isPromised() ? PROMISED_TRACK_MS : UNSTATED_TRACK_WALL_MS;
  }

  /** True once a source event has come out. */
  get decided(): boolean {
    return this.#phase !== 'collecting';
  }

  /** Takes what the encoder states about the stream. */
  takeMetadata(metadata: StreamMetadata): readonly FeedEvent[] {
    this.#metadata = metadata;
    return this.#decideIfComplete();
  }

  /** Takes one tag and returns the events it causes, or why the source cannot be taken. */
  take(tag: MediaTag): Result<readonly FeedEvent[], SourceFailure> {
    const read = tag.type === FLV_VIDEO ? readVideoTag(tag.body) : readAudioTag(tag.body);
    switch (read.kind) {
      case 'ignored':
        return ok([]);
      case 'unsupported':
        return rejectedSource(`${read.codec} is not supported: send H.264 video and AAC audio`);
      case 'sequence-header':
        return this.#takeHeader(tag, read);
      case 'frame':
        return ok(this.#takeFrame({ ...tag, body: read.body }, read.key));
    }
  }

  /** Ends the collecting with the tracks known so far; no events where there are none, or it is over already. */
  decide(): readonly FeedEvent[] {
    if (this.#phase !== 'collecting' || this.#firstTimestamp === undefined) {
      return [];
    }
    this.#phase = 'live';
    const kept = this.#kept;
    this.#kept = [];
    return [this.#sourceEvent(), ...kept.flatMap((frame) => this.#liveFrame(frame))];
  }

  #takeHeader(
    tag: MediaTag,
    read: Extract<CodecTag, { readonly kind: 'sequence-header' }>,
  ): Result<readonly FeedEvent[], SourceFailure> {
    const known = tag.type === FLV_VIDEO ? this.#tracks.video : this.#tracks.audio;
    if (known !== undefined && Buffer.compare(known.header, read.body) === 0) {
      return ok([]);
    }
    if (tag.type === FLV_VIDEO) {
      const video = readVideoTrack(read.body, read.configuration, this.#metadata?.frameRate);
      if (!video.ok) {
        return video;
      }
      this.#tracks = { ...this.#tracks, video: video.value };
    } else {
      const audio = readAudioTrack(read.body, read.configuration);
      if (!audio.ok) {
        return audio;
      }
      this.#tracks = { ...this.#tracks, audio: audio.value };
    }
    return ok(this.#headerTaken(tag.timestamp, known !== undefined));
  }

  #headerTaken(timestamp: number, replaced: boolean): readonly FeedEvent[] {
    if (this.#phase !== 'collecting') {
      this.#phase = 'changed';
      return [];
    }
    if (replaced) {
      // What was kept was coded under the header that no longer counts.
      this.#kept = [];
      this.#keptBytes = 0;
    }
    this.#firstTimestamp ??= timestamp;
    return this.#decideIfComplete();
  }

  #takeFrame(tag: MediaTag, key: boolean): readonly FeedEvent[] {
    const track = tag.type === FLV_VIDEO ? this.#tracks.video : this.#tracks.audio;
    if (track === undefined) {
      // Undecodable without its sequence header.
      return [];
    }
    switch (this.#phase) {
      case 'collecting':
        return this.#keep({ tag, key });
      case 'live':
        return this.#liveFrame({ tag, key });
      case 'changed':
        if (!this.#isRandomAccess({ tag, key })) {
          return [];
        }
        this.#phase = 'live';
        return [this.#sourceEvent(), ...this.#liveFrame({ tag, key })];
    }
  }

  #keep(frame: KeptFrame): readonly FeedEvent[] {
    this.#kept.push(frame);
    this.#keptBytes += frame.tag.body.length;
    const elapsed = (frame.tag.timestamp - (this.#firstTimestamp ?? 0)) | 0;
    const wait = this.#isPromised() ? PROMISED_TRACK_MS : UNSTATED_TRACK_MEDIA_MS;
    return elapsed >= wait || this.#keptBytes > MAX_KEPT_BYTES ? this.decide() : [];
  }

  #liveFrame(frame: KeptFrame): readonly FeedEvent[] {
    const video = frame.tag.type === FLV_VIDEO;
    if (video && !frame.key && !this.#keyFrameSeen) {
      return [];
    }
    this.#keyFrameSeen ||= video;
    const bytes = writeFlvTag(frame.tag);
    return [{ kind: 'media', bytes, randomAccess: this.#isRandomAccess(frame) }];
  }

  #isRandomAccess(frame: KeptFrame): boolean {
    return this.#tracks.video === undefined || (frame.tag.type === FLV_VIDEO && frame.key);
  }

  #decideIfComplete(): readonly FeedEvent[] {
    const { video, audio } = this.#tracks;
    const videoSettled = video !== undefined || this.#metadata?.hasVideo === false;
    const audioSettled = audio !== undefined || this.#metadata?.hasAudio === false;
    return videoSettled && audioSettled ? this.decide() : [];
  }

  #isPromised(): boolean {
    const { video, audio } = this.#tracks;
    return (
      (video === undefined && this.#metadata?.hasVideo === true) ||
      (audio === undefined && this.#metadata?.hasAudio === true)
    );
  }

  #sourceEvent(): FeedEvent {
    return {
      kind: 'source',
      source: sourceProperties(this.#tracks),
      preamble: writePreamble(this.#tracks),
    };
  }
}
