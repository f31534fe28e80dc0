/** `hdlr`: what kind of media a track holds, ISO/IEC 14496-12 §8.4.3. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box; `handler` is `vide` or `soun`. */
export function writeHdlr(fields: { readonly handler: string; readonly name: string }): Uint8Array {
  const writer = fullBoxFields(0, 0).u32(0).text(fields.handler).u32(0, 0, 0).text(fields.name).u8(0);
  return writeBox('hdlr', writer.finish());
}

/** Reads the handler's four-character code from the content. */
export function readHdlr(content: Uint8Array): string {
  const reader = new BoxReader('hdlr', content);
  reader.skip(8);
  return reader.fourCharacterCode();
}
