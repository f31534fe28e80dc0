/** Reads a `moov`: the tracks of ffmpeg's output and the defaults of their fragments. */

import type { Timescale } from '#shared/media-time.ts';
import { readAv01 } from './boxes/av01.ts';
import { readAvc1 } from './boxes/avc1.ts';
import type { AudioEntry } from './boxes/audio-entry.ts';
import { childBoxes, findChild, printable, requireChild, type Box } from './boxes/box-tree.ts';
import { readHdlr } from './boxes/hdlr.ts';
import { readHvc1 } from './boxes/hvc1.ts';
import { readMdhd } from './boxes/mdhd.ts';
import { readMp4a } from './boxes/mp4a.ts';
import { readOpus } from './boxes/opus.ts';
import { readStsd } from './boxes/stsd.ts';
import { readTkhd } from './boxes/tkhd.ts';
import { readTrex, type TrackExtends } from './boxes/trex.ts';
import { readVp09 } from './boxes/vp09.ts';
import type { VisualEntry } from './boxes/visual-entry.ts';
import { Mp4FormatError } from './mp4-format-error.ts';
import type { Track } from './sample.ts';

/** What a movie box says, ISO/IEC 14496-12 §8.2.1. */
export interface Movie {
  readonly tracks: readonly Track[];
  /** Defaults of every track, those that are neither video nor audio included. */
  readonly defaults: ReadonlyMap<number, TrackExtends>;
}

/** Most tracks of one movie: the ladder's rungs and a few audio tracks. */
const MAX_TRACKS = 64;
/** The sample entries of video that are read, by their type. */
const VISUAL_ENTRIES: ReadonlyMap<string, (entry: Box) => VisualEntry> = new Map([
  ['avc1', readAvc1],
  ['hvc1', readHvc1],
  ['av01', readAv01],
  ['vp09', readVp09],
]);
/** Those of audio. */
const AUDIO_ENTRIES: ReadonlyMap<string, (entry: Box) => AudioEntry> = new Map([
  ['mp4a', readMp4a],
  ['Opus', readOpus],
]);

/** Reads the content of a `moov`; throws `Mp4FormatError` on an unsupported or broken track. */
export function readMovie(content: Uint8Array): Movie {
  const boxes = childBoxes('moov', content);
  const moov: Box = { type: 'moov', content, bytes: content };
  const extended = childBoxes('mvex', requireChild(moov, 'mvex').content)
    .filter((box) => box.type === 'trex')
    .map((box) => readTrex(box.content));
  const tracks = boxes
    .filter((box) => box.type === 'trak')
    .map(readTrack)
    .filter((track) => track !== undefined);
  if (tracks.length === 0 || tracks.length > MAX_TRACKS) {
    throw new Mp4FormatError('moov', `${tracks.length} audio and video tracks, 1 to ${MAX_TRACKS} expected`);
  }
  const defaults = new Map(extended.map((defaultsOfTrack) => [defaultsOfTrack.trackId, defaultsOfTrack]));
  const orphan = tracks.find((track) => !defaults.has(track.id));
  if (orphan !== undefined) {
    throw new Mp4FormatError('mvex', `no trex for track ${orphan.id}`);
  }
  return { tracks, defaults };
}

function readTrack(trak: Box): Track | undefined {
  const header = readTkhd(requireChild(trak, 'tkhd').content);
  const media = requireChild(trak, 'mdia');
  const scale = readMdhd(requireChild(media, 'mdhd').content);
  const handler = readHdlr(requireChild(media, 'hdlr').content);
  const table = requireChild(requireChild(media, 'minf'), 'stbl');
  const description = findChild(table, 'stsd');
  if (description === undefined || (handler !== 'vide' && handler !== 'soun')) {
    return undefined;
  }
  return describeTrack(header.trackId, scale, readStsd(description.content));
}

/** A track by its sample entry box; throws `Mp4FormatError` where it is not supported or broken. */
export function describeTrack(id: number, scale: Timescale, entry: Box): Track {
  // A copy: the views reach into a pipe's chunk, and a track lives as long as its run.
  const base = { id, timescale: scale, sampleEntry: entry.bytes.slice() };
  const readVisual = VISUAL_ENTRIES.get(entry.type);
  if (readVisual !== undefined) {
    return { ...base, kind: 'video', channels: 0, sampleRate: 0, ...readVisual(entry) };
  }
  const readAudio = AUDIO_ENTRIES.get(entry.type);
  if (readAudio !== undefined) {
    return { ...base, kind: 'audio', width: 0, height: 0, ...readAudio(entry) };
  }
  const known = [...VISUAL_ENTRIES.keys(), ...AUDIO_ENTRIES.keys()].join(', ');
  throw new Mp4FormatError('stsd', `track ${id} is "${printable(entry.type)}"; ${known} are supported`);
}
