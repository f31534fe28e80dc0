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
    renditions: video.length === 0 ? [] : audio.map(audioRendition),
    variants: inStartOrder(
      video.length === 0 ? audio.map(audioVariant) : video.map((each) => videoVariant(each, audio)),
    ),
  };
}

function audioRendition(
  { description }: Described<'audio'>,
  index: number,
): MultivariantPlaylist['renditions'][number] {
  return {
    type: 'AUDIO',
    groupId: AUDIO_GROUP,
    name: description.name,
    isDefault: index === 0,
    autoselect: true,
    language: undefined,
    channels: String(description.channels),
    uri: `${description.name}/index.m3u8`,
  };
}

function audioVariant({ description, peak, average }: Described<'audio'>): Variant {
  return {
    uri: `${description.name}/index.m3u8`,
    bandwidth: peak,
    averageBandwidth: average,
    codecs: description.codecs,
    resolution: undefined,
    frameRate: undefined,
    audio: undefined,
  };
}

function videoVariant(video: Described<'video'>, audio: readonly Described<'audio'>[]): Variant {
  const { name, codecs, width, height, frameRate } = video.description;
  return {
    uri: `${name}/index.m3u8`,
    bandwidth: video.peak + Math.max(0, ...audio.map((each) => each.peak)),
    averageBandwidth: video.average + Math.max(0, ...audio.map((each) => each.average)),
    codecs: [...new Set([codecs, ...audio.map((each) => each.description.codecs)])].join(','),
    resolution: { width, height },
    frameRate: frameRate === 0 ? undefined : frameRate,
    audio: audio.length === 0 ? undefined : AUDIO_GROUP,
  };
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
