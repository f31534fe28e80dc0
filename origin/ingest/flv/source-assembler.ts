/** Makes feed events of FLV tags: finds out what the source carries, then hands tags on, and notices changes. */

import { ok, type Result } from '#shared/result.ts';
import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import type { FeedEvent } from '../media-feed.ts';
import { readAudioTag } from './audio-tag.ts';
import { VIDEO_HEADER_BYTES, type CarriedCodec, type TrackTag } from './codec-tag.ts';
import { FLV_VIDEO, type FLV_AUDIO, type FlvTag } from './flv-tag.ts';
import { containerOf, writeFrame, writePreamble } from './source-container.ts';
import {
  readAudioTrack,
  readVideoTrack,
  rejectedSource,
  sourceProperties,
  type SequenceHeader,
  type SourceFailure,
  type SourceTracks,
} from './source-tracks.ts';
import type { StreamMetadata } from './stream-metadata.ts';
import { TrackChoice } from './track-choice.ts';
import { readVideoTag } from './video-tag.ts';

/** A tag of audio or video. */
export type MediaTag = FlvTag & { readonly type: typeof FLV_AUDIO | typeof FLV_VIDEO };

interface KeptFrame {
  readonly tag: MediaTag;
  readonly key: boolean;
}

/** What is taken, for the person who set up the encoder. */
const REMEDY = 'send H.264, HEVC, AV1 or VP9 video and AAC or Opus audio';
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
  /** A video sequence header that does not state the picture's size: the next key frame does. */
  #sizeless: SequenceHeader | undefined;
  readonly #tracksChosen = new TrackChoice();

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

  /** What the log should say once of tracks that are not carried; `undefined` where there is nothing new. */
  takeNotice(): string | undefined {
    return this.#tracksChosen.takeNotice();
  }

  /** Takes one tag and returns the events it causes, or why the source cannot be taken. */
  take(tag: MediaTag): Result<readonly FeedEvent[], SourceFailure> {
    const events: FeedEvent[] = [];
    for (const read of tag.type === FLV_VIDEO ? readVideoTag(tag.body) : readAudioTag(tag.body)) {
      if (this.#tracksChosen.isCarried(tag.type, read)) {
        const taken = this.#takeRead(tag, read);
        if (!taken.ok) {
          return taken;
        }
        events.push(...taken.value);
      }
    }
    return ok(events);
  }

  #takeRead(tag: MediaTag, read: TrackTag): Result<readonly FeedEvent[], SourceFailure> {
    switch (read.kind) {
      case 'ignored':
        return ok([]);
      case 'unsupported':
        return rejectedSource(`${read.codec} is not supported: ${REMEDY}`);
      case 'malformed':
        return rejectedSource(
          `${read.detail}: update the encoder, or turn Enhanced RTMP off and send H.264 and AAC`,
        );
      case 'sequence-header':
        return this.#takeHeader(tag, read);
      case 'frame':
        return this.#takeFrame({ ...tag, body: read.body }, read);
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
    read: SequenceHeader,
    keyFrame?: Uint8Array,
  ): Result<readonly FeedEvent[], SourceFailure> {
    const known = tag.type === FLV_VIDEO ? this.#tracks.video : this.#tracks.audio;
    const repeated = known?.properties.codec === read.codec && Buffer.compare(known.header, read.body) === 0;
    if (repeated) {
      return ok([]);
    }
    if (tag.type === FLV_VIDEO) {
      const video = readVideoTrack(read, { frameRate: this.#metadata?.frameRate, keyFrame });
      if (!video.ok) {
        return video;
      }
      this.#sizeless = video.value === undefined ? read : undefined;
      if (video.value === undefined) {
        return ok([]);
      }
      this.#tracks = { ...this.#tracks, video: video.value };
    } else {
      const audio = readAudioTrack(read);
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

  #takeFrame(
    tag: MediaTag,
    read: { readonly codec: CarriedCodec; readonly key: boolean },
  ): Result<readonly FeedEvent[], SourceFailure> {
    const { codec, key } = read;
    const events: FeedEvent[] = [];
    if (tag.type === FLV_VIDEO && key && this.#sizeless?.codec === codec) {
      const sized = this.#takeHeader(tag, this.#sizeless, tag.body.subarray(VIDEO_HEADER_BYTES));
      if (!sized.ok) {
        return sized;
      }
      events.push(...sized.value);
    }
    const track = tag.type === FLV_VIDEO ? this.#tracks.video : this.#tracks.audio;
    // Undecodable without its sequence header.
    return ok(track?.properties.codec === codec ? [...events, ...this.#frameTaken({ tag, key })] : events);
  }

  #frameTaken(frame: KeptFrame): readonly FeedEvent[] {
    switch (this.#phase) {
      case 'collecting':
        return this.#keep(frame);
      case 'live':
        return this.#liveFrame(frame);
      case 'changed':
        if (!this.#isRandomAccess(frame)) {
          return [];
        }
        this.#phase = 'live';
        return [this.#sourceEvent(), ...this.#liveFrame(frame)];
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
    const bytes = writeFrame(this.#tracks, frame.tag, frame.key);
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
      container: containerOf(this.#tracks),
    };
  }
}
