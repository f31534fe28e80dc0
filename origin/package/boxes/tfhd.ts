/** `tfhd`: a track fragment's defaults, ISO/IEC 14496-12 §8.8.7. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** What the samples of a track fragment have unless a run says otherwise; `undefined` leaves it to `trex`. */
export interface TrackFragmentHeader {
  readonly trackId: number;
  readonly defaultDuration: number | undefined;
  readonly defaultSize: number | undefined;
  readonly defaultFlags: number | undefined;
  /** Data offsets count from the fragment's `moof`. */
  readonly defaultBaseIsMoof: boolean;
}

const BASE_DATA_OFFSET = 0x1;
const SAMPLE_DESCRIPTION_INDEX = 0x2;
const DEFAULT_DURATION = 0x8;
const DEFAULT_SIZE = 0x10;
const DEFAULT_FLAGS = 0x20;
const DEFAULT_BASE_IS_MOOF = 0x2_0000;

/** Writes the whole box. */
export function writeTfhd(fields: TrackFragmentHeader): Uint8Array {
  const optional: readonly (readonly [number, number | undefined])[] = [
    [DEFAULT_DURATION, fields.defaultDuration],
    [DEFAULT_SIZE, fields.defaultSize],
    [DEFAULT_FLAGS, fields.defaultFlags],
  ];
  const present = optional.filter(([, value]) => value !== undefined);
  const flags = present.reduce(
    (sum, [flag]) => sum | flag,
    fields.defaultBaseIsMoof ? DEFAULT_BASE_IS_MOOF : 0,
  );
  const writer = fullBoxFields(0, flags).u32(fields.trackId);
  for (const [, value] of present) {
    writer.u32(value ?? 0);
  }
  return writeBox('tfhd', writer.finish());
}

/** Reads the content; throws where data offsets count from the start of the file. */
export function readTfhd(content: Uint8Array): TrackFragmentHeader {
  const reader = new BoxReader('tfhd', content);
  const { flags } = reader.fullBox();
  const trackId = reader.u32();
  if ((flags & BASE_DATA_OFFSET) !== 0) {
    throw reader.error('offsets from the start of the file; write with -movflags +default_base_moof');
  }
  if ((flags & SAMPLE_DESCRIPTION_INDEX) !== 0) {
    reader.skip(4);
  }
  return {
    trackId,
    defaultDuration: (flags & DEFAULT_DURATION) === 0 ? undefined : reader.u32(),
    defaultSize: (flags & DEFAULT_SIZE) === 0 ? undefined : reader.u32(),
    defaultFlags: (flags & DEFAULT_FLAGS) === 0 ? undefined : reader.u32(),
    defaultBaseIsMoof: (flags & DEFAULT_BASE_IS_MOOF) !== 0,
  };
}
