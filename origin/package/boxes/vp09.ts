/** `vp09`: the sample entry of VP9, VP Codec ISO Media File Format Binding. */

import { parseVp9Configuration, vp9CodecString } from '#shared/codec/vp9.ts';
import { ok } from '#shared/result.ts';
import type { Box } from './box-tree.ts';
import { readVisualEntry, type VisualEntry } from './visual-entry.ts';

/** Reads the sample entry; throws where its configuration is missing or broken. */
export function readVp09(entry: Box): VisualEntry {
  return readVisualEntry(entry, 'vpcC', (record) => {
    const configuration = parseVp9Configuration(record);
    return configuration.ok ? ok(vp9CodecString(configuration.value)) : configuration;
  });
}
