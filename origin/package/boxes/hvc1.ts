/** `hvc1`: the sample entry of HEVC with its parameter sets in the entry, ISO/IEC 14496-15 §8.4.1. */

import { hevcCodecString, parseHevcConfiguration } from '#shared/codec/hevc.ts';
import { ok } from '#shared/result.ts';
import type { Box } from './box-tree.ts';
import { readVisualEntry, type VisualEntry } from './visual-entry.ts';

/** Reads the sample entry; throws where its parameter sets are missing or broken. */
export function readHvc1(entry: Box): VisualEntry {
  return readVisualEntry(entry, 'hvcC', (record) => {
    const configuration = parseHevcConfiguration(record);
    return configuration.ok ? ok(hevcCodecString(configuration.value)) : configuration;
  });
}
