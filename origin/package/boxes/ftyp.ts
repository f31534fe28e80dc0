/** `ftyp`: what the file complies with, ISO/IEC 14496-12 §4.3 and ISO/IEC 23000-19 §7.2. */

import { BoxReader } from './box-reader.ts';
import { FieldWriter, writeBox } from './box-writer.ts';

/** Brands of a file. */
export interface FileType {
  readonly majorBrand: string;
  readonly minorVersion: number;
  readonly compatibleBrands: readonly string[];
}

/** Writes the whole box. */
export function writeFtyp(fields: FileType): Uint8Array {
  const writer = new FieldWriter().text(fields.majorBrand).u32(fields.minorVersion);
  for (const brand of fields.compatibleBrands) {
    writer.text(brand);
  }
  return writeBox('ftyp', writer.finish());
}

/** Reads the content. */
export function readFtyp(content: Uint8Array): FileType {
  const reader = new BoxReader('ftyp', content);
  const majorBrand = reader.fourCharacterCode();
  const minorVersion = reader.u32();
  const compatibleBrands: string[] = [];
  while (reader.remaining >= 4) {
    compatibleBrands.push(reader.fourCharacterCode());
  }
  return { majorBrand, minorVersion, compatibleBrands };
}
