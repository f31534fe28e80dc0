/** Which renditions a source gets out of a ladder, in the order of the tracks of ffmpeg's output. */

import { parseRenditionName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { FeedContainer, SourceProperties, SourceVideo } from '../ingest/media-feed.ts';
import { planAudio } from './audio-plan.ts';
import type { EncoderTable } from './encoder-table.ts';
import type { EncodedRung, Ladder } from './ladder.ts';
import {
  BANDWIDTH_MARGIN,
  type PictureTreatment,
  type PlannedRendition,
  type RenditionPlan,
  type Unnamed,
  type VideoRendition,
} from './planned-rendition.ts';

/** What a plan is made of. */
export interface PlanInput {
  readonly source: SourceProperties;
  readonly container: FeedContainer;
  readonly ladder: Ladder;
  readonly encoders: EncoderTable;
  /** After hardware has failed. */
  readonly softwareOnly?: boolean;
  /** Bits per second that the source was seen to have, `undefined` before that. */
  readonly sourceBitrate?: number | undefined;
}

/** Why a source gets no rendition at all. */
export type PlanFailure =
  | { readonly reason: 'nothing-to-package'; readonly detail: string }
  | { readonly reason: 'invalid-name'; readonly detail: string };

/** Peak over target where a rung does not say: room for a key frame without a visible drop. */
const DEFAULT_PEAK_FACTOR = 1.2;
/** A source that seems to have less than this, bits per second, was measured while it paused. */
const LEAST_CAP = 64_000;
/** Bits per pixel and frame of a well-fed live encoder: the first guess for a copy, until it is measured. */
const COPY_BITS_PER_PIXEL = 0.1;
/** Frames per second assumed for that guess when the source states none. */
const ASSUMED_FRAME_RATE = 30;

/**
 * Chooses the renditions of a source. Nothing is scaled up: rungs above the source's shorter side are left out,
 * and a source below every rung gets one at its own size with the lowest rung's settings. Copy rungs stay.
 */
export function planRenditions(input: PlanInput): Result<RenditionPlan, PlanFailure> {
  const { source, container, ladder } = input;
  const picture = treatment(source.video, ladder);
  const video = source.video === undefined ? [] : planVideo(source.video, input, picture);
  const taken = video.map(({ name }) => name);
  const audio = ladder.audio === null ? [] : planAudio(source, container, ladder.audio, taken);
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
  const audioOnly = ladder.audio?.only === true && video.length > 0;
  return ok({ renditions: named, picture, captions: ladder.captions, audioOnly });
}

function treatment(video: SourceVideo | undefined, ladder: Ladder): PictureTreatment {
  const { deinterlace, rotate } = ladder;
  const how = deinterlace === 'fields' ? 'fields' : 'frames';
  return {
    deinterlace: deinterlace !== 'off' && video?.interlaced === true ? how : undefined,
    rotate: rotate === 'auto' ? (video?.rotation ?? 0) : rotate,
  };
}

function planVideo(
  source: SourceVideo,
  input: PlanInput,
  picture: PictureTreatment,
): readonly Unnamed<VideoRendition>[] {
  const rungs = input.ladder.video;
  const treated = treatedPicture(source, picture);
  const shortSide = Math.min(source.width, source.height);
  const fitting = rungs.filter((rung) => rung.codec === 'copy' || rung.height <= shortSide);
  if (fitting.length > 0) {
    return fitting.map((rung) =>
      rung.codec === 'copy' ? copyVideo(source, rung.name) : encode(treated, rung, input),
    );
  }
  const lowest = rungs
    .filter((rung) => rung.codec !== 'copy')
    .reduce<EncodedRung | undefined>(
      (low, rung) => (low && low.height <= rung.height ? low : rung),
      undefined,
    );
  if (lowest === undefined) {
    return [];
  }
  return [encode(treated, { ...lowest, name: `${shortSide}p`, height: shortSide }, input)];
}

/** The source as encoders see it: turned, and with a picture for each field. */
function treatedPicture(source: SourceVideo, { deinterlace, rotate }: PictureTreatment): SourceVideo {
  const { width, height, frameRate } = source;
  const turned = rotate % 180 === 0 ? { width, height } : { width: height, height: width };
  const doubled = deinterlace === 'fields' && frameRate !== undefined ? frameRate * 2 : frameRate;
  return { ...source, ...turned, frameRate: doubled };
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

function encode(source: SourceVideo, rung: EncodedRung, input: PlanInput): Unnamed<VideoRendition> {
  const { ladder, encoders, softwareOnly, sourceBitrate = Infinity } = input;
  const { codec } = rung;
  const { device } = ladder;
  const choice = rung.encoder ?? ladder.encoder;
  const scale = rung.height / Math.min(source.width, source.height);
  const cap = ladder.capToSource ? Math.max(sourceBitrate, LEAST_CAP) : Infinity;
  const bitrate = Math.round(Math.min(rung.bitrate, cap));
  const peakFactor = rung.maxBitrate === undefined ? DEFAULT_PEAK_FACTOR : rung.maxBitrate / rung.bitrate;
  const maxBitrate = Math.round(bitrate * peakFactor);
  return {
    kind: 'video',
    name: rung.name,
    width: even(source.width * scale, source.width),
    height: even(source.height * scale, source.height),
    frameRate: source.frameRate,
    bandwidth: Math.ceil(maxBitrate * BANDWIDTH_MARGIN),
    encoding: {
      codec,
      encoder: encoders.choose({ codec, choice, device }, softwareOnly),
      device,
      rung,
      bitrate,
      maxBitrate,
      captions: ladder.captions !== 'none',
    },
  };
}

/** The nearest even length, as 4:2:0 pictures need, and never more than the source has. */
function even(length: number, available: number): number {
  return Math.max(2, Math.min(2 * Math.round(length / 2), 2 * Math.floor(available / 2)));
}

function describeMismatch(source: SourceProperties): string {
  const carried = [source.video && 'video', source.audio && 'audio'].filter((kind) => kind !== undefined);
  return `the source carries ${carried.join(' and ') || 'nothing'}, and the ladder has no rung for it`;
}
