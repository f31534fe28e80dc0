/** `avc1`: the sample entry of H.264, ISO/IEC 14496-15 §5.4.2. */

import {
  h264CodecString,
  parseAvcConfiguration,
  parseSequenceParameterSet,
  type H264Failure,
  type H264Parameters,
} from '#shared/codec/h264.ts';
import { ok, type Result } from '#shared/result.ts';
import type { Box } from './box-tree.ts';
import { writeBox } from './box-writer.ts';
import { writeColr } from './colr.ts';
import { writePasp } from './pasp.ts';
import { readVisualEntry, writeVisualEntry, type VisualEntry } from './visual-entry.ts';

/** Reads the sample entry; throws where its parameter sets are missing or broken. */
export function readAvc1(entry: Box): VisualEntry {
  return readVisualEntry(entry, 'avcC', (record) => {
    const parameters = readParameters(record);
    return parameters.ok ? ok(h264CodecString(parameters.value)) : parameters;
  });
}

/** Writes the sample entry of an AVCDecoderConfigurationRecord: what its parameter sets say stands in boxes as well. */
export function writeAvc1(record: Uint8Array): Result<Uint8Array, H264Failure> {
  const parameters = readParameters(record);
  if (!parameters.ok) {
    return parameters;
  }
  const { pixelShape, colours } = parameters.value;
  const boxes = [
    writeBox('avcC', record),
    ...(pixelShape === undefined ? [] : [writePasp(pixelShape)]),
    ...(colours === undefined ? [] : [writeColr(colours)]),
  ];
  return ok(writeVisualEntry('avc1', parameters.value, ...boxes));
}

function readParameters(record: Uint8Array): Result<H264Parameters, H264Failure> {
  const configuration = parseAvcConfiguration(record);
  return configuration.ok
    ? parseSequenceParameterSet(configuration.value.sequenceParameterSets[0] ?? new Uint8Array())
    : configuration;
}
