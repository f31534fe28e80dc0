/** `trun`: a run of samples, ISO/IEC 14496-12 §8.8.8. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox, type FieldWriter } from './box-writer.ts';

/** One sample of a run; `undefined` leaves a field to the track fragment's defaults. */
export interface RunSample {
  readonly duration: number | undefined;
  readonly size: number | undefined;
  readonly flags: number | undefined;
  /** Signed. */
  readonly compositionOffset: number;
}

/** A run of samples. */
export interface TrackRun {
  /** From the fragment's base to the first sample's bytes; `undefined`: right after the run before. */
  readonly dataOffset: number | undefined;
  readonly samples: readonly RunSample[];
}

/** Which fields a run that is written states for each sample. */
export interface RunFields {
  readonly durations: boolean;
  readonly flags: boolean;
  readonly compositionOffsets: boolean;
}

/** Most samples of one run that are read: far beyond a fragment of a few seconds. */
const MAX_RUN_SAMPLES = 65_536;
/** The flag that says a sample is no sync sample, ISO/IEC 14496-12 §8.8.3.1. */
export const NON_SYNC_SAMPLE = 0x1_0000;

const DATA_OFFSET = 0x1;
const FIRST_SAMPLE_FLAGS = 0x4;
const DURATIONS = 0x100;
const SIZES = 0x200;
const FLAGS = 0x400;
const COMPOSITION_OFFSETS = 0x800;

/** Writes the whole box, version 1 (signed composition offsets), with a size for every sample. */
export function writeTrun(run: TrackRun, fields: RunFields): Uint8Array {
  const flags =
    SIZES |
    (run.dataOffset === undefined ? 0 : DATA_OFFSET) |
    (fields.durations ? DURATIONS : 0) |
    (fields.flags ? FLAGS : 0) |
    (fields.compositionOffsets ? COMPOSITION_OFFSETS : 0);
  const writer = fullBoxFields(1, flags).u32(run.samples.length);
  if (run.dataOffset !== undefined) {
    writer.i32(run.dataOffset);
  }
  for (const sample of run.samples) {
    writeRunSample(writer, sample, fields);
  }
  return writeBox('trun', writer.finish());
}

/** Reads the content, version 0 or 1; the count is checked against the bytes that are there. */
export function readTrun(content: Uint8Array): TrackRun {
  const reader = new BoxReader('trun', content);
  const { flags } = reader.fullBox();
  const count = reader.u32();
  const dataOffset = (flags & DATA_OFFSET) === 0 ? undefined : reader.i32();
  const firstFlags = (flags & FIRST_SAMPLE_FLAGS) === 0 ? undefined : reader.u32();
  const fieldsPerSample = [DURATIONS, SIZES, FLAGS, COMPOSITION_OFFSETS].filter(
    (flag) => (flags & flag) !== 0,
  );
  if (count > MAX_RUN_SAMPLES || count * fieldsPerSample.length * 4 > reader.remaining) {
    throw reader.error(`${count} samples announced in ${content.length} bytes`);
  }
  const samples: RunSample[] = [];
  for (let index = 0; index < count; index += 1) {
    const sample = readRunSample(reader, flags);
    samples.push(index === 0 && firstFlags !== undefined ? { ...sample, flags: firstFlags } : sample);
  }
  return { dataOffset, samples };
}

function writeRunSample(writer: FieldWriter, sample: RunSample, fields: RunFields): void {
  if (fields.durations) {
    writer.u32(sample.duration ?? 0);
  }
  writer.u32(sample.size ?? 0);
  if (fields.flags) {
    writer.u32(sample.flags ?? 0);
  }
  if (fields.compositionOffsets) {
    writer.i32(sample.compositionOffset);
  }
}

/** Offsets of version 0 are unsigned by the letter; writers that store negative ones there exist. */
function readRunSample(reader: BoxReader, flags: number): RunSample {
  return {
    duration: (flags & DURATIONS) === 0 ? undefined : reader.u32(),
    size: (flags & SIZES) === 0 ? undefined : reader.u32(),
    flags: (flags & FLAGS) === 0 ? undefined : reader.u32(),
    compositionOffset: (flags & COMPOSITION_OFFSETS) === 0 ? 0 : reader.i32(),
  };
}
