/** Turns the live window into its multivariant playlist. */

import type { MultivariantPlaylist, Variant } from '#shared/playlist/multivariant-playlist.ts';
import type { RenditionDescription } from '#shared/wire/publish.ts';
import {
  hasMedia,
  MICROS,
  type BeginUpdate,
  type LiveSegment,
  type LiveWindow,
  type RenditionWindow,
} from './live-window.ts';
import { allSegments, type SegmentChunk } from './segment-list.ts';

const VERSION = 9;
const AUDIO_GROUP = 'audio';
const CAPTIONS_GROUP = 'captions';
/**
 * Bits of H.264 that one bit of a codec is worth, by the first part of its codec string. H.264, which every player
 * decodes, has the variants that come first.
 */
const EFFICIENCY: Readonly<Record<string, number>> = { avc1: 1, hvc1: 1.6, vp09: 1.5, av01: 1.9 };
/**
 * The first variant is the one that players begin with before they know their link: the highest up to this many
 * bits per second (Apple's authoring rules name 2 Mbit/s as what Wi-Fi begins with, plus room for audio). The
 * others follow from the highest down.
 */
const START_BANDWIDTH = 2_500_000;

type Described<K extends RenditionDescription['kind']> = {
  readonly description: Extract<RenditionDescription, { kind: K }>;
  readonly peak: number;
  readonly average: number;
};

/**
 * Describes the multivariant playlist of the current epoch's renditions, or `undefined` while none of them can
 * be played. It then names all of them at once, since players read it only once.
 */
export function describeMultivariantPlaylist(window: LiveWindow): MultivariantPlaylist | undefined {
  const active = [...window.renditions.values()].filter((rendition) => rendition.active);
  if (!active.some(hasMedia)) {
    return undefined;
  }
  const video: Described<'video'>[] = [];
  const audio: Described<'audio'>[] = [];
  for (const rendition of active) {
    const { description } = rendition;
    if (description.kind === 'video') {
      video.push({ description, ...measure(window, rendition) });
    } else {
      audio.push({ description, ...measure(window, rendition) });
    }
  }
  return {
    version: VERSION,
    independentSegments: true,
    renditions: video.length === 0 ? [] : [...audio.map(audioRendition), ...captionRenditions(window.begin)],
    variants:
      video.length === 0 ? inStartOrder(audio.map(audioVariant)) : variantsOf(video, audio, window.begin),
  };
}

/** Variants with pictures, those of H.264 first, and one of audio alone where it is asked for, last. */
function variantsOf(
  video: readonly Described<'video'>[],
  audio: readonly Described<'audio'>[],
  begin: BeginUpdate,
): Variant[] {
  const families = Object.keys(EFFICIENCY);
  const byFamily = Map.groupBy(video, ({ description }) => familyOf(description.codecs));
  const scores = byFamily.size > 1 ? scoresOf(video) : undefined;
  // Nothing said is SDR (rfc8216bis §4.4.6.2), and players of HDR want to hear it of all or of none.
  const isRanged = video.some(({ description }) => (description.videoRange ?? 'SDR') !== 'SDR');
  const ordered = [...byFamily.keys()].toSorted(
    (left, right) => families.indexOf(left) - families.indexOf(right),
  );
  const variants = ordered.flatMap((family) =>
    inStartOrder(
      (byFamily.get(family) ?? []).map((each) => ({
        ...videoVariant(each, { audio, begin, isRanged }),
        score: scores?.get(each),
      })),
    ),
  );
  const alone = begin.audioOnlyVariant === true ? audio.slice(0, 1) : [];
  const score = scores === undefined ? undefined : 1;
  return [...variants, ...alone.map((each) => ({ ...audioVariant(each), audio: AUDIO_GROUP, score }))];
}

function familyOf(codecs: string): string {
  return codecs.split('.', 1)[0] ?? '';
}

/** Ranks of variants by the height of their pictures, then by what their bits are worth; 1 is left to audio alone. */
function scoresOf(video: readonly Described<'video'>[]): ReadonlyMap<Described<'video'>, number> {
  const worth = ({ description, average }: Described<'video'>): number =>
    average * (EFFICIENCY[familyOf(description.codecs)] ?? 1);
  const ranked = video.toSorted(
    (left, right) => left.description.height - right.description.height || worth(left) - worth(right),
  );
  return new Map(ranked.map((each, index) => [each, index + 2]));
}

function audioRendition(
  { description }: Described<'audio'>,
  index: number,
): MultivariantPlaylist['renditions'][number] {
  return {
    type: 'AUDIO',
    groupId: AUDIO_GROUP,
    name: description.label ?? description.name,
    isDefault: index === 0,
    autoselect: true,
    language: description.language,
    channels: String(description.channels),
    instreamId: undefined,
    uri: `${description.name}/index.m3u8`,
  };
}

function captionRenditions({ closedCaptions = [] }: BeginUpdate): MultivariantPlaylist['renditions'] {
  return closedCaptions.map(({ channel, language, label }) => ({
    type: 'CLOSED-CAPTIONS',
    groupId: CAPTIONS_GROUP,
    name: label ?? channel,
    isDefault: false,
    autoselect: true,
    language,
    channels: undefined,
    instreamId: channel,
    uri: undefined,
  }));
}

function audioVariant({ description, peak, average }: Described<'audio'>): Variant {
  return {
    uri: `${description.name}/index.m3u8`,
    bandwidth: peak,
    averageBandwidth: average,
    codecs: description.codecs,
    score: undefined,
    resolution: undefined,
    frameRate: undefined,
    videoRange: undefined,
    audio: undefined,
    closedCaptions: undefined,
  };
}

function videoVariant(
  video: Described<'video'>,
  {
    audio,
    begin,
    isRanged,
  }: {
    readonly audio: readonly Described<'audio'>[];
    readonly begin: BeginUpdate;
    /** Whether all variants say their VIDEO-RANGE. */
    readonly isRanged: boolean;
  },
): Variant {
  const { name, codecs, width, height, frameRate, videoRange } = video.description;
  return {
    uri: `${name}/index.m3u8`,
    bandwidth: video.peak + Math.max(0, ...audio.map((each) => each.peak)),
    averageBandwidth: video.average + Math.max(0, ...audio.map((each) => each.average)),
    codecs: [...new Set([codecs, ...audio.map((each) => each.description.codecs)])].join(','),
    score: undefined,
    resolution: { width, height },
    frameRate: frameRate === 0 ? undefined : frameRate,
    videoRange: isRanged ? (videoRange ?? 'SDR') : undefined,
    audio: audio.length === 0 ? undefined : AUDIO_GROUP,
    closedCaptions: captionsOf(video, begin),
  };
}

/** NONE stands on all variants or on none (rfc8216bis §4.4.6.2), so it is left out beside a variant with captions. */
function captionsOf(
  { description }: Described<'video'>,
  { closedCaptions }: BeginUpdate,
): Variant['closedCaptions'] {
  if (closedCaptions?.length === 0) {
    return 'NONE';
  }
  const has = closedCaptions !== undefined && description.closedCaptions === true;
  return has ? { groupId: CAPTIONS_GROUP } : undefined;
}

function inStartOrder(variants: readonly Variant[]): Variant[] {
  const descending = variants.toSorted((left, right) => right.bandwidth - left.bandwidth);
  const start = descending.find((variant) => variant.bandwidth <= START_BANDWIDTH) ?? descending.at(-1);
  return start === undefined ? [] : [start, ...descending.filter((variant) => variant !== start)];
}

interface Totals {
  readonly bytes: number;
  readonly micros: number;
  /** Bits per second; 0 where no segment is long enough to count. */
  readonly peak: number;
}

const NOTHING: Totals = { bytes: 0, micros: 0, peak: 0 };
/** A chunk never changes, and neither does the target duration of the window that it belongs to. */
const chunkTotals = new WeakMap<SegmentChunk, Totals>();

/**
 * Peak and average bits per second over the listed segments, and those before them in the oldest chunk; the peak is
 * at least what the origin announced.
 */
function measure(
  { begin }: LiveWindow,
  { description, segments }: RenditionWindow,
): { readonly peak: number; readonly average: number } {
  const totals = segments.chunks.map((chunk) => totalsOf(chunk, begin));
  const {
    bytes,
    micros,
    peak: seen,
  } = [...totals, totalsOfSegments(segments.tail, begin)].reduce(add, NOTHING);
  const peak = Math.max(description.bandwidth, seen);
  return { peak, average: micros === 0 ? peak : Math.min(peak, bitsPerSecond(bytes, micros)) };
}

function totalsOf(chunk: SegmentChunk, begin: BeginUpdate): Totals {
  const known = chunkTotals.get(chunk);
  if (known !== undefined) {
    return known;
  }
  const { firstMsn } = chunk;
  const totals = totalsOfSegments(allSegments({ firstMsn, chunks: [chunk], tail: [] }), begin);
  chunkTotals.set(chunk, totals);
  return totals;
}

/** Segments below half a target duration do not count towards the peak, rfc8216bis §4.4.6.2. */
function totalsOfSegments(segments: readonly LiveSegment[], begin: BeginUpdate): Totals {
  const leastMicros = (begin.targetDuration * MICROS) / 2;
  return segments
    .filter((segment) => !segment.gap && segment.durationMicros > 0)
    .map(({ bytes, durationMicros: micros }) => ({
      bytes,
      micros,
      peak: micros >= leastMicros ? bitsPerSecond(bytes, micros) : 0,
    }))
    .reduce(add, NOTHING);
}

function add(left: Totals, right: Totals): Totals {
  return {
    bytes: left.bytes + right.bytes,
    micros: left.micros + right.micros,
    peak: Math.max(left.peak, right.peak),
  };
}

function bitsPerSecond(bytes: number, micros: number): number {
  return Math.ceil((bytes * 8 * MICROS) / micros);
}
