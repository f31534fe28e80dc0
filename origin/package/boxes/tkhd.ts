/** `tkhd`: the track header, ISO/IEC 14496-12 §8.3.2. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';
import { UNITY_MATRIX } from './matrix.ts';

/** A track's identity and picture size. */
export interface TrackHeader {
  readonly trackId: number;
  /** Volume 1.0 and alternate group 1, as audio has. */
  readonly audio: boolean;
  /** Whole pixels, 0 for audio. */
  readonly width: number;
  readonly height: number;
}

/** Enabled, in the movie, in the preview. */
const FLAGS_ENABLED = 7;
const VOLUME_FULL = 0x100;
const FIXED_POINT = 0x1_0000;
const MATRIX_BYTES = 36;

/** Writes the whole box. */
export function writeTkhd(fields: TrackHeader): Uint8Array {
  const writer = fullBoxFields(0, FLAGS_ENABLED)
    .u32(0, 0, fields.trackId, 0, 0)
    .u32(0, 0)
    .u16(0, fields.audio ? 1 : 0, fields.audio ? VOLUME_FULL : 0, 0)
    .u32(...UNITY_MATRIX)
    .u32(fields.width * FIXED_POINT, fields.height * FIXED_POINT);
  return writeBox('tkhd', writer.finish());
}

/** Reads the content, version 0 or 1. */
export function readTkhd(content: Uint8Array): TrackHeader {
  const reader = new BoxReader('tkhd', content);
  const { version } = reader.fullBox();
  reader.skip(version === 1 ? 16 : 8);
  const trackId = reader.u32();
  reader.skip(version === 1 ? 12 : 8);
  reader.skip(8 + 4);
  const audio = reader.u16() !== 0;
  reader.skip(2 + MATRIX_BYTES);
  const width = Math.floor(reader.u32() / FIXED_POINT);
  const height = Math.floor(reader.u32() / FIXED_POINT);
  return { trackId, audio, width, height };
}
