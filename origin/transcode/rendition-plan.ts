/** Which renditions a source gets out of a ladder, in the order of the tracks of ffmpeg's output. */

import { parseRenditionName, type RenditionName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { FeedContainer, SourceAudio, SourceProperties, SourceVideo } from '../ingest/media-feed.ts';
import type { AudioRung, EncodedRung, Ladder, VideoRung } from './ladder.ts';

/** A video rendition. Track IDs count from 1 in plan order. */
export interface VideoRendition {
  readonly kind: 'video';
  readonly name: RenditionName;
  readonly width: number;
  readonly height: number;
  /** Frames per second as the source states it. */
  readonly frameRate: number | undefined;
  /** Expected peak, bits per second. */
  readonly bandwidth: number;
  readonly encoding: { readonly codec: 'copy'; readonly of: SourceVideo['codec'] } | H264Encoding;
}

/** How a rung is encoded. */
export interface H264Encoding {
  readonly codec: 'h264';
  readonly rung: EncodedRung;
  /** Peak that the encoder's buffer model allows, bits per second. */
  readonly maxBitrate: number;
}

/** The audio rendition. */
export interface AudioRendition {
  readonly kind: 'audio';
  readonly name: RenditionName;
  readonly sampleRate: number;
  readonly channels: number;
  /** Expected peak, bits per second. */
  readonly bandwidth: number;
  readonly encoding:
    | { readonly codec: 'copy'; readonly of: SourceAudio['codec'] }
    | { readonly codec: 'aac'; readonly bitrate: number };
}

/** One rendition of a plan. */
export type PlannedRendition = VideoRendition | AudioRendition;

/** What ffmpeg shall make of a source: at least one rendition, in track order. */
export interface RenditionPlan {
  readonly renditions: readonly PlannedRendition[];
}

/** Why a source gets no rendition at all. */
export type PlanFailure =
  | { readonly reason: 'nothing-to-package'; readonly detail: string }
  | { readonly reason: 'invalid-name'; readonly detail: string };

/** Peak over target where a rung does not say: room for a key frame without a visible drop. */
const DEFAULT_PEAK_FACTOR = 1.2;
/** Boxes around samples, and rate control overshooting over one segment. */
const BANDWIDTH_MARGIN = 1.1;
/** Bits per pixel and frame of a well-fed live encoder: the first guess for a copy, until it is measured. */
const COPY_BITS_PER_PIXEL = 0.1;
/** Frames per second assumed for that guess when the source states none. */
const ASSUMED_FRAME_RATE = 30;
/** AAC sample rates that are kept; all others become 48 kHz, which every decoder plays. */
const KEPT_SAMPLE_RATES: readonly number[] = [44_100, 48_000];
/** Expected peak of copied audio, bits per second per channel. */
const COPY_AUDIO_BANDWIDTH = 96_000;

/**
 * Chooses the renditions of a source. Nothing is scaled up: rungs above the source's shorter side are left out,
 * and a source below every rung gets one at its own size with the lowest rung's settings. Copy rungs stay.
 */
export function planRenditions(
  source: SourceProperties,
  container: FeedContainer,
  ladder: Ladder,
): Result<RenditionPlan, PlanFailure> {
  const video = source.video === undefined ? [] : planVideo(source.video, ladder.video);
  const audio =
    source.audio === undefined || ladder.audio === null
      ? []
      : [planAudio(source.audio, container, ladder.audio)];
  const named: PlannedRendition[] = [];
  for (const planned of [...video, ...audio]) {
    const name = parseRenditionName(planned.name);
    if (!name.ok) {
      return fail({ reason: 'invalid-name', detail: `rendition name is not ${name.failure.expected}` });
    }
    named.push({ ...planned, name: name.value });
  }
  if (named.length === 0) {
    return fail({ reason: 'nothing-to-package', detail: describeMismatch(source) });
  }
  return ok({ renditions: named });
}

/** A rendition whose name is still the configuration's text. */
type Unnamed<R extends PlannedRendition> = Omit<R, 'name'> & { readonly name: string };

function planVideo(source: SourceVideo, rungs: readonly VideoRung[]): readonly Unnamed<VideoRendition>[] {
  const shortSide = Math.min(source.width, source.height);
  const fitting = rungs.filter((rung) => rung.codec === 'copy' || rung.height <= shortSide);
  if (fitting.length > 0) {
    return fitting.map((rung) =>
      rung.codec === 'copy' ? copyVideo(source, rung.name) : encode(source, rung),
    );
  }
  const lowest = rungs
    .filter((rung) => rung.codec === 'h264')
    .reduce<EncodedRung | undefined>(
      (low, rung) => (low && low.height <= rung.height ? low : rung),
      undefined,
    );
  if (lowest === undefined) {
    return [];
  }
  return [encode(source, { ...lowest, name: `${shortSide}p`, height: shortSide })];
}

function copyVideo(source: SourceVideo, name: string): Unnamed<VideoRendition> {
  const pixelsPerSecond = source.width * source.height * (source.frameRate ?? ASSUMED_FRAME_RATE);
  return {
    kind: 'video',
    name,
    width: source.width,
    height: source.height,
    frameRate: source.frameRate,
    bandwidth: Math.ceil(pixelsPerSecond * COPY_BITS_PER_PIXEL),
    encoding: { codec: 'copy', of: source.codec },
  };
}

function encode(source: SourceVideo, rung: EncodedRung): Unnamed<VideoRendition> {
  const scale = rung.height / Math.min(source.width, source.height);
  const maxBitrate = rung.maxBitrate ?? Math.round(rung.bitrate * DEFAULT_PEAK_FACTOR);
  return {
    kind: 'video',
    name: rung.name,
    width: even(source.width * scale, source.width),
    height: even(source.height * scale, source.height),
    frameRate: source.frameRate,
    bandwidth: Math.ceil(maxBitrate * BANDWIDTH_MARGIN),
    encoding: { codec: 'h264', rung, maxBitrate },
  };
}

/** The nearest even length, as 4:2:0 pictures need, and never more than the source has. */
function even(length: number, available: number): number {
  return Math.max(2, Math.min(2 * Math.round(length / 2), 2 * Math.floor(available / 2)));
}

function planAudio(source: SourceAudio, container: FeedContainer, rung: AudioRung): Unnamed<AudioRendition> {
  if (rung.codec === 'copy' && container !== 'mpegts') {
    return {
      kind: 'audio',
      name: rung.name,
      sampleRate: source.sampleRate,
      channels: source.channels,
      bandwidth: COPY_AUDIO_BANDWIDTH * source.channels,
      encoding: { codec: 'copy', of: source.codec },
    };
  }
  return {
    kind: 'audio',
    name: rung.name,
    sampleRate: KEPT_SAMPLE_RATES.includes(source.sampleRate) ? source.sampleRate : 48_000,
    channels: Math.min(source.channels, 2),
    bandwidth: Math.ceil(rung.bitrate * BANDWIDTH_MARGIN),
    encoding: { codec: 'aac', bitrate: rung.bitrate },
  };
}

function describeMismatch(source: SourceProperties): string {
  const carried = [source.video && 'video', source.audio && 'audio'].filter((kind) => kind !== undefined);
  return `the source carries ${carried.join(' and ') || 'nothing'}, and the ladder has no rung for it`;
}
