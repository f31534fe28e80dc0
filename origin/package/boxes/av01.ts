/** `av01`: the sample entry of AV1, AV1 Codec ISO Media File Format Binding §2.2. */

import { av1CodecString, parseAv1Configuration } from '#shared/codec/av1.ts';
import { ok } from '#shared/result.ts';
import type { Box } from './box-tree.ts';
import { readVisualEntry, type VisualEntry } from './visual-entry.ts';

/** Reads the sample entry; throws where its configuration is missing or broken. */
export function readAv01(entry: Box): VisualEntry {
  return readVisualEntry(entry, 'av1C', (record) => {
    const configuration = parseAv1Configuration(record);
    return configuration.ok ? ok(av1CodecString(configuration.value)) : configuration;
  });
}
