/** Writes a part: one `moof` and its `mdat`, a CMAF chunk (ISO/IEC 23000-19 §7.3.2.3). */

import { ticks } from '#shared/media-time.ts';
import { BOX_HEADER_BYTES, FieldWriter, writeBox } from './boxes/box-writer.ts';
import { writeMfhd } from './boxes/mfhd.ts';
import { writeTfdt } from './boxes/tfdt.ts';
import { writeTfhd } from './boxes/tfhd.ts';
import { writeTrun, type RunFields, type TrackRun } from './boxes/trun.ts';
import { TRACK_ID } from './init-segment.ts';
import type { Sample } from './sample.ts';

/** Flags of a sync sample: it depends on no other, ISO/IEC 14496-12 §8.6.4. */
const SYNC_SAMPLE_FLAGS = 0x0200_0000;
/** Flags of any other: it depends on others and is no sync sample. */
const OTHER_SAMPLE_FLAGS = 0x0101_0000;

/** What goes into one part; the samples, at least one, follow each other in decode order. */
export interface PartContent {
  readonly samples: readonly Sample[];
  /** Number of the fragment in its rendition, from 1. */
  readonly sequence: number;
}

/**
 * Writes the part. Nothing but `moof` and `mdat` is in it, so a segment is the concatenation of its parts and
 * holds the identical samples (rfc8216bis §4.4.4.9).
 */
export function writePart(content: PartContent): Uint8Array {
  const dataBytes = content.samples.reduce((sum, sample) => sum + sample.data.length, 0);
  // The data offset is known once the moof's size is, and does not change it.
  const moofBytes = writeMoof(content, 0).length;
  const moof = writeMoof(content, moofBytes + BOX_HEADER_BYTES);
  const bytes = new Uint8Array(moofBytes + BOX_HEADER_BYTES + dataBytes);
  bytes.set(moof);
  bytes.set(
    new FieldWriter()
      .u32(BOX_HEADER_BYTES + dataBytes)
      .text('mdat')
      .finish(),
    moofBytes,
  );
  let at = moofBytes + BOX_HEADER_BYTES;
  for (const sample of content.samples) {
    bytes.set(sample.data, at);
    at += sample.data.length;
  }
  return bytes;
}

function writeMoof({ samples, sequence }: PartContent, dataOffset: number): Uint8Array {
  const fields = variableFields(samples);
  const [first] = samples;
  const run: TrackRun = {
    dataOffset,
    samples: samples.map((sample) => ({
      duration: sample.duration,
      size: sample.data.length,
      flags: sampleFlags(sample),
      compositionOffset: sample.compositionOffset,
    })),
  };
  const header = writeTfhd({
    trackId: TRACK_ID,
    defaultDuration: fields.durations ? undefined : first?.duration,
    defaultSize: undefined,
    defaultFlags: fields.flags || first === undefined ? undefined : sampleFlags(first),
    defaultBaseIsMoof: true,
  });
  const decodeTime = writeTfdt(first?.decodeTime ?? ticks(0));
  return writeBox('moof', writeMfhd(sequence), writeBox('traf', header, decodeTime, writeTrun(run, fields)));
}

/** What differs between samples is stated for each; the rest once, in `tfhd`. */
function variableFields(samples: readonly Sample[]): RunFields {
  return {
    durations: samples.some((sample) => sample.duration !== samples[0]?.duration),
    flags: samples.some((sample) => sample.sync !== samples[0]?.sync),
    compositionOffsets: samples.some((sample) => sample.compositionOffset !== 0),
  };
}

function sampleFlags(sample: Sample): number {
  return sample.sync ? SYNC_SAMPLE_FLAGS : OTHER_SAMPLE_FLAGS;
}
