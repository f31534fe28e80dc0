/** Sections of program specific information, put together from packets, ISO/IEC 13818-1 §2.4.4. */

import { PACKET_BYTES, type TransportPacket } from './packet.ts';

/** Longest section of a PAT or PMT with its 3 bytes of header, §2.4.4.4 and §2.4.4.9. */
const MAX_SECTION_BYTES = 1024;
/** Packets that one section can span: 1,024 bytes at 184 each, and one for a late start. */
const MAX_SECTION_PACKETS = 7;
const SECTION_HEADER_BYTES = 3;
const CRC_BYTES = 4;

/** A whole section with a correct checksum. */
export interface Section {
  /** From table_id up to, without, CRC_32. */
  readonly bytes: Uint8Array;
  /** The transport packets that carried it, verbatim. */
  readonly packets: Uint8Array;
}

/** Puts the sections of one PID together; a damaged one is dropped, since tables are repeated. */
export class SectionAssembler {
  #bytes = new Uint8Array();
  #packets: Uint8Array[] = [];

  /** Takes the PID's next packet (`raw` are its 188 bytes) and returns the section it completes, if any. */
  push(packet: TransportPacket, raw: Uint8Array): Section | undefined {
    if (packet.unitStart) {
      const pointer = packet.payload[0] ?? 0;
      this.#bytes = new Uint8Array(packet.payload.subarray(1 + pointer));
      this.#packets = [new Uint8Array(raw)];
    } else if (this.#packets.length > 0 && this.#packets.length < MAX_SECTION_PACKETS) {
      this.#bytes = new Uint8Array([...this.#bytes, ...packet.payload]);
      this.#packets.push(new Uint8Array(raw));
    } else {
      this.#packets = [];
    }
    return this.#take();
  }

  #take(): Section | undefined {
    if (this.#packets.length === 0 || this.#bytes.length < SECTION_HEADER_BYTES) {
      return undefined;
    }
    const length = SECTION_HEADER_BYTES + ((((this.#bytes[1] ?? 0) & 0x0f) << 8) | (this.#bytes[2] ?? 0));
    if (length > MAX_SECTION_BYTES || length < SECTION_HEADER_BYTES + CRC_BYTES) {
      this.#packets = [];
      return undefined;
    }
    if (this.#bytes.length < length) {
      return undefined;
    }
    const whole = this.#bytes.subarray(0, length);
    const packets = new Uint8Array(this.#packets.length * PACKET_BYTES);
    this.#packets.forEach((raw, index) => packets.set(raw, index * PACKET_BYTES));
    this.#packets = [];
    return crc32(whole) === 0 ? { bytes: whole.subarray(0, length - CRC_BYTES), packets } : undefined;
  }
}

/** CRC_32 of annex A; over a section with its checksum it is 0. */
function crc32(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    register = ((register << 8) ^ (CRC_TABLE[((register >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  }
  return register;
}

const CRC_POLYNOMIAL = 0x04c11db7;
const CRC_TABLE: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let register = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) {
    register = (register & 0x80000000) === 0 ? register << 1 : (register << 1) ^ CRC_POLYNOMIAL;
  }
  return register >>> 0;
});
