/** `esds`: the MPEG-4 elementary stream descriptor of AAC, ISO/IEC 14496-14 §5.6 and 14496-1 §7.2.6. */

import { BoxReader } from './box-reader.ts';

const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
/** MPEG-4 audio, ISO/IEC 14496-1 table 5. */
const OBJECT_TYPE_AAC = 0x40;
/** A descriptor's length is at most four bytes of seven bits. */
const MAX_LENGTH_BYTES = 4;

/** Reads the AudioSpecificConfig out of the content; throws where the stream is not MPEG-4 audio. */
export function readEsds(content: Uint8Array): Uint8Array {
  const reader = new BoxReader('esds', content);
  reader.fullBox();
  openDescriptor(reader, ES_DESCRIPTOR);
  reader.skip(2);
  const flags = reader.u8();
  reader.skip((flags & 0x80) === 0 ? 0 : 2);
  reader.skip((flags & 0x40) === 0 ? 0 : reader.u8());
  reader.skip((flags & 0x20) === 0 ? 0 : 2);
  openDescriptor(reader, DECODER_CONFIG);
  const objectType = reader.u8();
  if (objectType !== OBJECT_TYPE_AAC) {
    throw reader.error(`object type 0x${objectType.toString(16)} is not MPEG-4 audio`);
  }
  reader.skip(12);
  return reader.bytes(openDescriptor(reader, DECODER_SPECIFIC_INFO));
}

function openDescriptor(reader: BoxReader, expected: number): number {
  const tag = reader.u8();
  if (tag !== expected) {
    throw reader.error(`descriptor ${expected} expected, ${tag} found`);
  }
  let length = 0;
  for (let index = 0; index < MAX_LENGTH_BYTES; index += 1) {
    const byte = reader.u8();
    length = length * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) {
      return length;
    }
  }
  throw reader.error('descriptor length of more than four bytes');
}
