/** Transport packets: their header, adaptation field and payload, ISO/IEC 13818-1 §2.4.3. */

/** Bytes of a transport packet. */
export const PACKET_BYTES = 188;
/** First byte of every transport packet. */
export const SYNC_BYTE = 0x47;
/** Packet identifier of the program association table. */
export const PAT_PID = 0;

const HEADER_BYTES = 4;

/** What a transport packet's header says. */
export interface TransportPacket {
  readonly pid: number;
  /** A PES packet or a section starts in this packet. */
  readonly unitStart: boolean;
  /** The adaptation field's random_access_indicator, §2.4.3.5. */
  readonly randomAccess: boolean;
  readonly payload: Uint8Array;
}

/** Reads the packet that starts at `at`; the caller has made sure that 188 bytes are there. */
export function parsePacket(bytes: Uint8Array, at: number): TransportPacket {
  const second = bytes[at + 1] ?? 0;
  const control = ((bytes[at + 3] ?? 0) >> 4) & 0b11;
  const adaptationBytes = (control & 0b10) === 0 ? 0 : 1 + (bytes[at + HEADER_BYTES] ?? 0);
  const flags = adaptationBytes > 1 ? (bytes[at + HEADER_BYTES + 1] ?? 0) : 0;
  const end = at + PACKET_BYTES;
  const start = Math.min(at + HEADER_BYTES + adaptationBytes, end);
  return {
    pid: ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0),
    unitStart: (second & 0x40) !== 0,
    randomAccess: (flags & 0x40) !== 0,
    payload: bytes.subarray((control & 0b01) === 0 ? end : start, end),
  };
}
