/** Measures a feed as it is read: bit rate, frames per second and GOP length, from the container's own clock. */

import type { FeedContainer, FeedEvent } from './media-feed.ts';
import { FLV_TAG_HEADER_BYTES, FLV_TAG_TRAILER_BYTES, FLV_VIDEO, readFlvTagHeader } from './flv/flv-tag.ts';
import { PACKET_BYTES, parsePacket } from './mpegts/packet.ts';

/** What a feed brought of late. */
export interface InputMeasure {
  /** Bits per second over the last ten seconds, container included. */
  readonly bitrate: number;
  /** Frames per second of media time; `undefined` without video or before the second frame. */
  readonly frameRate: number | undefined;
  /** Media time between the newest two key frames, seconds. */
  readonly gopSeconds: number | undefined;
  /** The longest such time of this feed, seconds. */
  readonly longestGopSeconds: number | undefined;
}

type MediaEvent = Extract<FeedEvent, { kind: 'media' }>;

/** What is looked back at, milliseconds: several GOPs, so that key frames do not show as bursts. */
const WINDOW_MS = 10_000;
/** Events are added up over so long, milliseconds, which bounds what is kept. */
const BUCKET_MS = 250;
/** A step of the container's clock beyond this is a jump and no frame's duration, milliseconds. */
const JUMP_MS = 10_000;
const TICKS_PER_MS = 90;
const PTS_MODULUS = 2 ** 33;

interface Bucket {
  readonly at: number;
  bytes: number;
  frames: number;
  mediaMs: number;
}

/** Reads whole tags or packets; made anew for each feed. */
export class InputMeter {
  readonly #container: FeedContainer;
  #buckets: Bucket[] = [];
  #since: number | undefined;
  #lastFrame: number | undefined;
  #lastKey: number | undefined;
  #gopMs: number | undefined;
  #longestGopMs: number | undefined;

  constructor(container: FeedContainer) {
    this.#container = container;
  }

  /** Takes an event that was read at `now`, Unix milliseconds. */
  add(event: MediaEvent, now: number): void {
    this.#since ??= now;
    const bucket = this.#bucketAt(now);
    bucket.bytes += event.bytes.length;
    const times = this.#container === 'flv' ? flvFrames(event.bytes) : mpegTsFrames(event.bytes);
    for (const [index, time] of times.entries()) {
      this.#addFrame(bucket, time, event.randomAccess && index === 0);
    }
  }

  /** What was measured up to `now`. */
  measure(now: number): InputMeasure {
    this.#forget(now);
    const bytes = sum(this.#buckets, 'bytes');
    const frames = sum(this.#buckets, 'frames');
    const mediaMs = sum(this.#buckets, 'mediaMs');
    const span = Math.min(WINDOW_MS, now - (this.#since ?? now));
    return {
      bitrate: span < BUCKET_MS ? 0 : Math.round((bytes * 8_000) / span),
      frameRate: mediaMs === 0 ? undefined : Math.round((frames * 100_000) / mediaMs) / 100,
      gopSeconds: inSeconds(this.#gopMs),
      longestGopSeconds: inSeconds(this.#longestGopMs),
    };
  }

  #addFrame(bucket: Bucket, time: number, isKey: boolean): void {
    const step = this.#step(this.#lastFrame, time);
    this.#lastFrame = time;
    if (step !== undefined) {
      bucket.frames += 1;
      bucket.mediaMs += step;
    }
    if (isKey) {
      this.#gopMs = this.#step(this.#lastKey, time) ?? this.#gopMs;
      this.#longestGopMs =
        this.#gopMs === undefined ? undefined : Math.max(this.#gopMs, this.#longestGopMs ?? 0);
      this.#lastKey = time;
    }
  }

  /** Milliseconds from one time of the container to a later one; `undefined` where its clock jumped. */
  #step(from: number | undefined, to: number): number | undefined {
    const modulus = this.#container === 'flv' ? 2 ** 32 : PTS_MODULUS / TICKS_PER_MS;
    const step = from === undefined ? Infinity : (to - from + modulus) % modulus;
    return step > JUMP_MS ? undefined : step;
  }

  #bucketAt(now: number): Bucket {
    const newest = this.#buckets.at(-1);
    if (newest !== undefined && now - newest.at < BUCKET_MS) {
      return newest;
    }
    const bucket = { at: now, bytes: 0, frames: 0, mediaMs: 0 };
    this.#buckets.push(bucket);
    this.#forget(now);
    return bucket;
  }

  #forget(now: number): void {
    const old = this.#buckets.findIndex(({ at }) => now - at < WINDOW_MS);
    this.#buckets = old === -1 ? [] : this.#buckets.slice(old);
  }
}

function sum(buckets: readonly Bucket[], of: 'bytes' | 'frames' | 'mediaMs'): number {
  return buckets.reduce((total, bucket) => total + bucket[of], 0);
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms) / 1_000;
}

/** Decode times of the frames in whole FLV tags, milliseconds. */
function flvFrames(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const times: number[] = [];
  for (let at = 0; at + FLV_TAG_HEADER_BYTES < bytes.length;) {
    const { type, bodyBytes, timestamp } = readFlvTagHeader(view, at);
    if (type === FLV_VIDEO && bodyBytes > 1 && isFrame(bytes, at + FLV_TAG_HEADER_BYTES)) {
      times.push(timestamp);
    }
    at += FLV_TAG_HEADER_BYTES + bodyBytes + FLV_TAG_TRAILER_BYTES;
  }
  return times;
}

/** Coded frames, not sequence headers or metadata: FLV E.4.3.1, Enhanced RTMP v2 ExVideoTagHeader. */
function isFrame(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  const packetType = first & 0x0f;
  return (first & 0x80) === 0 ? bytes[at + 1] === 1 : packetType === 1 || packetType === 3;
}

/** Decode times of the pictures that begin in whole transport packets, milliseconds; ISO/IEC 13818-1 §2.4.3.6. */
function mpegTsFrames(bytes: Uint8Array): readonly number[] {
  const times: number[] = [];
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    const startsUnit = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
    const time = startsUnit ? pictureTime(parsePacket(bytes, at).payload) : undefined;
    if (time !== undefined) {
      times.push(time / TICKS_PER_MS);
    }
  }
  return times;
}

function pictureTime(pes: Uint8Array): number | undefined {
  const isPes = pes[0] === 0 && pes[1] === 0 && pes[2] === 1;
  const isVideo = ((pes[3] ?? 0) & 0xf0) === 0xe0;
  const flags = (pes[7] ?? 0) >> 6;
  if (!isPes || !isVideo || flags < 2) {
    return undefined;
  }
  // The DTS follows the PTS where both are there.
  const at = flags === 3 ? 14 : 9;
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = pes.subarray(at, at + 5);
  return ((a >> 1) & 0x07) * 2 ** 30 + (b << 22) + ((c >> 1) << 15) + (d << 7) + (e >> 1);
}
