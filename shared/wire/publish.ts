/**
 * What an origin tells a stream hub: `POST /publish/{stream}/{epoch}`, a body of frames, one update each.
 *
 * A frame is `u32 headerLength, u32 payloadLength, header (JSON), payload`, big-endian. Updates of one epoch
 * are numbered from 0 without a gap, so the hub can tell a repeat (skipped) from a gap (answered 409 with the
 * number it expects next) and the origin can send again from its window.
 */

import { z } from 'zod';
import { VIDEO_RANGES } from '../codec/video-range.ts';
import { fail, ok, type Result } from '../result.ts';

/** Largest header of one frame, bytes. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Largest payload of one frame, bytes: two seconds at 60 Mbit/s. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
/** Largest body of one request, bytes: what the origin puts into one request and the hub accepts. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Content type of a publish request. */
export const PUBLISH_CONTENT_TYPE = 'application/vnd.rill.publish';

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const count = z.int().min(0);

/** RFC 5646. */
const language = z.string().regex(/^[A-Za-z0-9-]{2,35}$/);
const label = z.string().regex(/^[^"\r\n]{1,80}$/);

const video = z.object({
  kind: z.literal('video'),
  name,
  /** RFC 6381, as in the multivariant playlist's CODECS. */
  codecs: z.string().min(1).max(64),
  width: z.int().min(1),
  height: z.int().min(1),
  /** Frames per second, 0 when unknown. */
  frameRate: z.number().min(0).max(1000),
  /** Expected peak bits per second over a segment; the hub raises it to what it sees. */
  bandwidth: z.int().min(1),
  /** How its luminance is coded; SDR where nothing is said. */
  videoRange: z.enum(VIDEO_RANGES).optional(),
  /** Closed captions are in its pictures. */
  closedCaptions: z.boolean().optional(),
});

const audio = z.object({
  kind: z.literal('audio'),
  name,
  codecs: z.string().min(1).max(64),
  sampleRate: z.int().min(1),
  channels: z.int().min(1).max(64),
  bandwidth: z.int().min(1),
  language: language.optional(),
  /** What players show; differs among a stream's audio renditions. */
  label: label.optional(),
});

const closedCaptions = z.object({
  /** INSTREAM-ID. */
  channel: z.string().regex(/^(?:CC[1-4]|SERVICE[1-9][0-9]?)$/),
  language: language.optional(),
  label: label.optional(),
});
/** A channel of closed captions, as announced at the begin of an epoch. */
export type ClosedCaptionsDescription = z.infer<typeof closedCaptions>;

/** A rendition as announced at the begin of an epoch. */
export const renditionSchema = z.discriminatedUnion('kind', [video, audio]);
/** A rendition as announced at the begin of an epoch. */
export type RenditionDescription = z.infer<typeof renditionSchema>;

/** Header of a frame. */
export const publishUpdateSchema = z.discriminatedUnion('kind', [
  /** Starts an epoch; always update 0. Segments of earlier epochs stay, behind a discontinuity. */
  z.object({
    kind: z.literal('begin'),
    seq: z.literal(0),
    firstMsn: count,
    /** EXT-X-TARGETDURATION, whole seconds. */
    targetDuration: z.int().min(1).max(60),
    /** PART-TARGET, seconds. */
    partTarget: z.number().min(0.05).max(10),
    /** Segments that the playlist names. */
    windowSegments: z.int().min(3).max(50_000),
    renditions: z.array(renditionSchema).min(1).max(32),
    /** Channels that renditions with `closedCaptions` carry. */
    closedCaptions: z.array(closedCaptions).max(16).optional(),
    /** Names a variant of the audio alone beside those with pictures. */
    audioOnlyVariant: z.boolean().optional(),
  }),
  /** The init segment of a rendition; the payload is the file. */
  z.object({ kind: z.literal('init'), seq: count, rendition: name }),
  /** A whole part; the payload is the file. */
  z.object({
    kind: z.literal('part'),
    seq: count,
    rendition: name,
    msn: count,
    part: count,
    /** Seconds, from integer ticks. */
    duration: z.number().min(0).max(60),
    independent: z.boolean(),
    /** Wall clock of the part's first sample, Unix milliseconds. */
    programDateTime: z.number(),
  }),
  /** The segment is complete: it has exactly `parts` parts, all published before. */
  z.object({ kind: z.literal('segment'), seq: count, rendition: name, msn: count, parts: z.int().min(1) }),
  /** The rendition has nothing for this segment, which others have: EXT-X-GAP (rfc8216bis §4.4.4.7). */
  z.object({
    kind: z.literal('gap'),
    seq: count,
    rendition: name,
    msn: count,
    /** Seconds. */
    duration: z.number().min(0).max(60),
    /** Wall clock of the segment's start, Unix milliseconds. */
    programDateTime: z.number(),
  }),
  /** The stream has ended: EXT-X-ENDLIST. */
  z.object({ kind: z.literal('end'), seq: count }),
]);
/** One change of a stream's live window. */
export type PublishUpdate = z.infer<typeof publishUpdateSchema>;
/** An update with the bytes that belong to it (empty where the kind has none). */
export type PublishFrame = { readonly update: PublishUpdate; readonly payload: Uint8Array };

/** Answer to `POST /publish/{stream}/{epoch}`: 200 when all was taken, 409 on a gap, a stale epoch or another origin. */
export const publishAnswerSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('accepted'), next: count }),
  z.object({ status: z.literal('gap'), next: count }),
  /** A newer epoch has begun, or the MSN was already used: the origin begins a new epoch. */
  z.object({ status: z.literal('stale'), latestEpoch: count, nextMsn: count }),
  /** Another origin publishes this stream: this one stops, and may ask for the lease (`lease.ts`). */
  z.object({ status: z.literal('fenced'), expiresInMs: count }),
  z.object({ status: z.literal('invalid'), detail: z.string() }),
]);
/** The hub's answer to a publish request. */
export type PublishAnswer = z.infer<typeof publishAnswerSchema>;

/** What a hub's playlists name; the segments of earlier epochs, and earlier ones of the same, are named by none. */
const listedSchema = z.object({
  /** Oldest segment. */
  epoch: count,
  msn: count,
  /** Oldest segment whose parts are named. */
  partsEpoch: count,
  partsMsn: count,
  /** EXT-X-TARGETDURATION, seconds. */
  targetDuration: z.number().min(0),
  /** The playlist's duration at most, seconds. */
  windowSeconds: z.number().min(0),
});
/** What a hub's playlists name. */
export type Listed = z.infer<typeof listedSchema>;

/**
 * Answer to `GET /publish/{stream}`: where a new epoch of this stream goes on, and what its playlists name: `null` when
 * there are none.
 */
export const hubPositionSchema = z.object({
  latestEpoch: count,
  nextMsn: count,
  listed: listedSchema.nullish(),
});
/** Where a new epoch goes on: it must be newer than `latestEpoch` and start at `nextMsn`. */
export type HubPosition = z.infer<typeof hubPositionSchema>;

/** What reaches a hub, as `GET /publish/{stream}/load` answers: the requests of its viewers since it started. */
export const hubLoadSchema = z.object({
  /** Held right now. */
  held: count,
  /** Multivariant and media playlists asked for. */
  playlists: count,
  /** Init segments, segments and parts asked for. */
  media: count,
});
/** What reaches a hub. */
export type HubLoad = z.infer<typeof hubLoadSchema>;

/** What is wrong with a publish body. */
export type FrameFailure =
  | { readonly reason: 'truncated'; readonly at: number }
  | { readonly reason: 'too-large'; readonly at: number; readonly limit: number }
  | { readonly reason: 'malformed'; readonly at: number; readonly detail: string };

const PREFIX_BYTES = 8;

/** Writes frames into one request body. */
export function encodePublishFrames(frames: readonly PublishFrame[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const headers = frames.map((frame) => encoder.encode(JSON.stringify(frame.update)));
  const total = frames.reduce(
    (sum, frame, index) => sum + PREFIX_BYTES + (headers[index]?.length ?? 0) + frame.payload.length,
    0,
  );
  const body = new Uint8Array(total);
  const view = new DataView(body.buffer);
  let at = 0;
  for (const [index, frame] of frames.entries()) {
    const header = headers[index] ?? new Uint8Array();
    view.setUint32(at, header.length);
    view.setUint32(at + 4, frame.payload.length);
    body.set(header, at + PREFIX_BYTES);
    body.set(frame.payload, at + PREFIX_BYTES + header.length);
    at += PREFIX_BYTES + header.length + frame.payload.length;
  }
  return body;
}

/** Reads a request body; payloads are views into it. Lengths are bounded before anything is read. */
export function decodePublishFrames(body: Uint8Array): Result<readonly PublishFrame[], FrameFailure> {
  const frames: PublishFrame[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  while (at < body.length) {
    if (at + PREFIX_BYTES > body.length) {
      return fail({ reason: 'truncated', at });
    }
    const headerLength = view.getUint32(at);
    const payloadLength = view.getUint32(at + 4);
    if (headerLength > MAX_HEADER_BYTES) {
      return fail({ reason: 'too-large', at, limit: MAX_HEADER_BYTES });
    }
    if (payloadLength > MAX_PAYLOAD_BYTES) {
      return fail({ reason: 'too-large', at, limit: MAX_PAYLOAD_BYTES });
    }
    const payloadAt = at + PREFIX_BYTES + headerLength;
    if (payloadAt + payloadLength > body.length) {
      return fail({ reason: 'truncated', at });
    }
    const header = parseHeader(body.subarray(at + PREFIX_BYTES, payloadAt));
    if (!header.success) {
      return fail({ reason: 'malformed', at, detail: header.detail });
    }
    frames.push({ update: header.update, payload: body.subarray(payloadAt, payloadAt + payloadLength) });
    at = payloadAt + payloadLength;
  }
  return ok(frames);
}

type Header =
  | { readonly success: true; readonly update: PublishUpdate }
  | { readonly success: false; readonly detail: string };

function parseHeader(bytes: Uint8Array): Header {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { success: false, detail: 'header is not JSON' };
  }
  const parsed = publishUpdateSchema.safeParse(json);
  return parsed.success
    ? { success: true, update: parsed.data }
    : { success: false, detail: z.prettifyError(parsed.error) };
}
