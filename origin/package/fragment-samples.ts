/** Turns a `moof` and its `mdat` into samples, ISO/IEC 14496-12 §8.8. */

import { ticks } from '#shared/media-time.ts';
import { childBoxes, requireChild, type Box } from './boxes/box-tree.ts';
import { readTfdt } from './boxes/tfdt.ts';
import { readTfhd, type TrackFragmentHeader } from './boxes/tfhd.ts';
import type { TrackExtends } from './boxes/trex.ts';
import { NON_SYNC_SAMPLE, readTrun, type RunSample } from './boxes/trun.ts';
import { Mp4FormatError } from './mp4-format-error.ts';
import type { Sample } from './sample.ts';

/** A sample with its track. */
export interface TrackSample {
  readonly trackId: number;
  readonly sample: Sample;
}

/** Where a fragment's bytes are. */
export interface FragmentData {
  /** Content of the `moof`. */
  readonly moof: Uint8Array;
  /** Content of the `mdat`. */
  readonly mdat: Uint8Array;
  /** Bytes from the start of the `moof` to the start of the `mdat`'s content. */
  readonly mdatOffset: number;
}

/** Most samples of one fragment, over all its runs: a run of samples without bytes costs nothing to announce. */
const MAX_FRAGMENT_SAMPLES = 65_536;

/** Lists a fragment's samples in file order; throws `Mp4FormatError` where they reach out of the `mdat`. */
export function readFragmentSamples(
  fragment: FragmentData,
  defaults: ReadonlyMap<number, TrackExtends>,
): readonly TrackSample[] {
  const samples: TrackSample[] = [];
  let cursor = fragment.mdatOffset;
  for (const traf of childBoxes('moof', fragment.moof).filter((box) => box.type === 'traf')) {
    cursor = readTrackFragment({ traf, fragment, defaults, cursor, samples });
  }
  return samples;
}

interface TrackFragment {
  readonly traf: Box;
  readonly fragment: FragmentData;
  readonly defaults: ReadonlyMap<number, TrackExtends>;
  /** Where data goes on when a run does not say. */
  readonly cursor: number;
  readonly samples: TrackSample[];
}

function readTrackFragment({ traf, fragment, defaults, cursor, samples }: TrackFragment): number {
  const header = readTfhd(requireChild(traf, 'tfhd').content);
  const extended = defaults.get(header.trackId);
  if (extended === undefined) {
    throw new Mp4FormatError('tfhd', `track ${header.trackId} was not announced in moov`);
  }
  let decodeTime: number = readTfdt(requireChild(traf, 'tfdt').content);
  let offset = cursor;
  for (const box of childBoxes('traf', traf.content).filter((child) => child.type === 'trun')) {
    const run = readTrun(box.content);
    offset = run.dataOffset ?? offset;
    if (samples.length + run.samples.length > MAX_FRAGMENT_SAMPLES) {
      throw new Mp4FormatError('moof', `more than ${MAX_FRAGMENT_SAMPLES} samples`);
    }
    for (const entry of run.samples) {
      const fields = applyDefaults(entry, header, extended);
      samples.push({
        trackId: header.trackId,
        sample: {
          decodeTime: ticks(decodeTime),
          duration: ticks(fields.duration),
          compositionOffset: entry.compositionOffset,
          sync: (fields.flags & NON_SYNC_SAMPLE) === 0,
          data: sliceData(fragment, offset, fields.size),
        },
      });
      decodeTime += fields.duration;
      offset += fields.size;
    }
  }
  return offset;
}

function applyDefaults(
  entry: RunSample,
  header: TrackFragmentHeader,
  extended: TrackExtends,
): { readonly duration: number; readonly size: number; readonly flags: number } {
  return {
    duration: entry.duration ?? header.defaultDuration ?? extended.defaultDuration,
    size: entry.size ?? header.defaultSize ?? extended.defaultSize,
    flags: entry.flags ?? header.defaultFlags ?? extended.defaultFlags,
  };
}

function sliceData(fragment: FragmentData, offset: number, size: number): Uint8Array {
  const start = offset - fragment.mdatOffset;
  if (start < 0 || start + size > fragment.mdat.length) {
    throw new Mp4FormatError(
      'trun',
      `sample of ${size} bytes at ${start} reaches out of an mdat of ${fragment.mdat.length}`,
    );
  }
  return fragment.mdat.subarray(start, start + size);
}
