/** `esds`: the MPEG-4 elementary stream descriptor of AAC, ISO/IEC 14496-14 §5.6 and 14496-1 §7.2.6. */

import { BoxReader } from './box-reader.ts';
import { FieldWriter, fullBoxFields, writeBox } from './box-writer.ts';

const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
const SL_CONFIG = 0x06;
/** The predefined configuration of MP4 files, ISO/IEC 14496-14 §3.1.2. */
const SL_CONFIG_MP4 = 0x02;
/** An audio stream, with the reserved bit that is set, ISO/IEC 14496-1 table 6. */
const STREAM_TYPE_AUDIO = (0x05 << 2) | 1;
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

/** Writes the whole box around an AudioSpecificConfig; buffer size and bit rates are left unstated. */
export function writeEsds(config: Uint8Array): Uint8Array {
  const decoder = new FieldWriter()
    .u8(OBJECT_TYPE_AAC, STREAM_TYPE_AUDIO, 0, 0, 0)
    .u32(0, 0)
    .bytes(writeDescriptor(DECODER_SPECIFIC_INFO, config));
  const stream = new FieldWriter()
    .u16(0)
    .u8(0)
    .bytes(writeDescriptor(DECODER_CONFIG, decoder.finish()))
    .bytes(writeDescriptor(SL_CONFIG, Uint8Array.of(SL_CONFIG_MP4)));
  const descriptor = writeDescriptor(ES_DESCRIPTOR, stream.finish());
  return writeBox('esds', fullBoxFields(0, 0).bytes(descriptor).finish());
}

function writeDescriptor(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const writer = new FieldWriter().u8(tag);
  for (let shift = 7 * (MAX_LENGTH_BYTES - 1); shift > 0; shift -= 7) {
    writer.u8(0x80 | ((length >> shift) & 0x7f));
  }
  return writer
    .u8(length & 0x7f)
    .bytes(content)
    .finish();
}
