/** `avc1`: the sample entry of H.264, ISO/IEC 14496-15 §5.4.2 and 14496-12 §12.1.3. */

import { h264CodecString, parseAvcConfiguration, parseSequenceParameterSet } from '#shared/codec/h264.ts';
import { BoxReader } from './box-reader.ts';
import { requireChild, type Box } from './box-tree.ts';

/** Bytes of a visual sample entry before its boxes. */
const VISUAL_SAMPLE_ENTRY_BYTES = 78;

/** What an H.264 sample entry says. */
export interface VisualEntry {
  /** RFC 6381, from the real sequence parameter set. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
}

/** Reads the sample entry; throws where its parameter sets are missing or broken. */
export function readAvc1(entry: Box): VisualEntry {
  const reader = new BoxReader('avc1', entry.content);
  reader.skip(24);
  const width = reader.u16();
  const height = reader.u16();
  reader.skip(VISUAL_SAMPLE_ENTRY_BYTES - 28);
  const boxes = { ...entry, content: reader.bytes(reader.remaining) };
  const configuration = parseAvcConfiguration(requireChild(boxes, 'avcC').content);
  if (!configuration.ok) {
    throw reader.error(configuration.failure.detail);
  }
  const parameters = parseSequenceParameterSet(
    configuration.value.sequenceParameterSets[0] ?? new Uint8Array(),
  );
  if (!parameters.ok) {
    throw reader.error(parameters.failure.detail);
  }
  return { codecs: h264CodecString(parameters.value), width, height };
}
