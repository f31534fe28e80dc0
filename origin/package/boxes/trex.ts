/** `trex`: a track's defaults for its fragments, ISO/IEC 14496-12 §8.8.3. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** What a sample has unless its fragment says otherwise. */
export interface TrackExtends {
  readonly trackId: number;
  readonly defaultDuration: number;
  readonly defaultSize: number;
  readonly defaultFlags: number;
}

/** Writes the whole box; the sample description is the first. */
export function writeTrex(fields: TrackExtends): Uint8Array {
  const writer = fullBoxFields(0, 0).u32(
    fields.trackId,
    1,
    fields.defaultDuration,
    fields.defaultSize,
    fields.defaultFlags,
  );
  return writeBox('trex', writer.finish());
}

/** Reads the content. */
export function readTrex(content: Uint8Array): TrackExtends {
  const reader = new BoxReader('trex', content);
  reader.fullBox();
  const trackId = reader.u32();
  reader.skip(4);
  return {
    trackId,
    defaultDuration: reader.u32(),
    defaultSize: reader.u32(),
    defaultFlags: reader.u32(),
  };
}
