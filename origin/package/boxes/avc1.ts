/** `avc1`: the sample entry of H.264, ISO/IEC 14496-15 §5.4.2. */

import { h264CodecString, parseAvcConfiguration, parseSequenceParameterSet } from '#shared/codec/h264.ts';
import { ok } from '#shared/result.ts';
import type { Box } from './box-tree.ts';
import { readVisualEntry, type VisualEntry } from './visual-entry.ts';

/** Reads the sample entry; throws where its parameter sets are missing or broken. */
export function readAvc1(entry: Box): VisualEntry {
  return readVisualEntry(entry, 'avcC', (record) => {
    const configuration = parseAvcConfiguration(record);
    if (!configuration.ok) {
      return configuration;
    }
    const parameters = parseSequenceParameterSet(
      configuration.value.sequenceParameterSets[0] ?? new Uint8Array(),
    );
    return parameters.ok ? ok(h264CodecString(parameters.value)) : parameters;
  });
}
