/** Makes samples of an FLV feed without ffmpeg: H.264 and AAC as the encoder sent them. */

import { AUDIO_HEADER_BYTES, readCompositionTime, VIDEO_HEADER_BYTES } from '../ingest/flv/codec-tag.ts';
import { FLV_AUDIO, FLV_VIDEO } from '../ingest/flv/flv-tag.ts';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import { FlvFormatError } from './flv-format-error.ts';
import { FlvTagReader, type ReadTag } from './flv-tag-reader.ts';
import { createLane, type Lane, type LaneKind } from './lane.ts';

/** A track to make: its id, and which of the feed's it is. */
export interface RemuxedTrack {
  readonly id: number;
  readonly kind: LaneKind;
}

/** Time of the first frame, seconds: another track's first frame may be older. */
const CLOCK_OFFSET_SECONDS = 5;
/** AVCPacketType and AACPacketType, FLV 10.1 E.4.3.1 and E.4.2.2. */
const SEQUENCE_HEADER = 0;
const FRAME = 1;
/** FrameType, E.4.3.1. */
const KEY_FRAME = 1;

/** Incremental reader of one feed; after it has thrown it is of no more use. */
export class FlvRemuxer {
  readonly #wanted: readonly RemuxedTrack[];
  readonly #tags = new FlvTagReader();
  readonly #lanes = new Map<LaneKind, Lane>();
  /** Time stamp of the newest frame as received, and how long after the first that is; milliseconds. */
  #newest: { readonly timestamp: number; readonly time: number } | undefined;

  constructor(tracks: readonly RemuxedTrack[]) {
    this.#wanted = tracks;
  }

  /**
   * Takes the next bytes, which the reader may keep, and returns what they complete: tracks once, then samples.
   * Throws `FlvFormatError`.
   */
  push(bytes: Uint8Array): readonly FragmentEvent[] {
    return this.#tags.push(bytes).flatMap((tag) => this.#take(tag));
  }

  /** What waited for a next frame. */
  end(): readonly FragmentEvent[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.end());
  }

  #take(tag: ReadTag): readonly FragmentEvent[] {
    const kind = kindOf(tag.type);
    const wanted = this.#wanted.find((track) => track.kind === kind);
    const headerBytes = kind === 'video' ? VIDEO_HEADER_BYTES : AUDIO_HEADER_BYTES;
    if (wanted === undefined || tag.body.length <= headerBytes) {
      return [];
    }
    const data = tag.body.subarray(headerBytes);
    switch (tag.body[1]) {
      case SEQUENCE_HEADER:
        return this.#takeConfiguration(wanted, data);
      case FRAME:
        return this.#takeFrame(wanted, tag, data);
      default:
        return [];
    }
  }

  /** The first of each track counts: with another one a feed begins a new source. */
  #takeConfiguration({ id, kind }: RemuxedTrack, configuration: Uint8Array): readonly FragmentEvent[] {
    if (this.#lanes.has(kind)) {
      return [];
    }
    this.#lanes.set(kind, createLane(kind, id, configuration));
    const tracks = this.#wanted.flatMap((wanted) => this.#lanes.get(wanted.kind)?.track ?? []);
    return tracks.length === this.#wanted.length ? [{ kind: 'tracks', tracks }] : [];
  }

  #takeFrame(
    { kind }: RemuxedTrack,
    { body, timestamp }: ReadTag,
    data: Uint8Array,
  ): readonly FragmentEvent[] {
    const lane = this.#lanes.get(kind);
    if (lane === undefined || this.#lanes.size < this.#wanted.length) {
      throw new FlvFormatError(`a frame of ${kind} came before the sequence headers of all tracks`);
    }
    const seconds = this.#timeOf(timestamp) / 1000 + CLOCK_OFFSET_SECONDS;
    if (seconds < 0) {
      // Older than all that could be played beside the first frame.
      return [];
    }
    const isVideo = kind === 'video';
    return lane.push(seconds, {
      compositionTime: isVideo ? readCompositionTime(body) : 0,
      sync: !isVideo || (body[0] ?? 0) >> 4 === KEY_FRAME,
      data,
    });
  }

  /** Milliseconds after the first frame; time stamps of 32 bits begin anew after 49 days. */
  #timeOf(timestamp: number): number {
    const newest = this.#newest ?? { timestamp, time: 0 };
    const time = newest.time + ((timestamp - newest.timestamp) | 0);
    this.#newest = { timestamp, time };
    return time;
  }
}

function kindOf(type: number): LaneKind | undefined {
  if (type === FLV_VIDEO) {
    return 'video';
  }
  return type === FLV_AUDIO ? 'audio' : undefined;
}
