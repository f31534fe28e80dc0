/** Finds packet boundaries in a byte stream and keeps them through damage, ISO/IEC 13818-1 annex G.1. */

import { PACKET_BYTES, SYNC_BYTE } from './packet.ts';

/** Packets in a row whose sync byte must fit before a boundary is believed; a chance match is one in 2^24. */
const CONFIRMING_PACKETS = 3;
const CONFIRMING_BYTES = (CONFIRMING_PACKETS - 1) * PACKET_BYTES + 1;

/** Cuts arbitrary pieces of a byte stream into runs of whole packets. */
export class PacketSync {
  #locked = false;
  #rest: Uint8Array = new Uint8Array();
  #skipped = 0;

  /** Bytes thrown away since the last whole packet. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Takes the next piece; the runs are views into it, except where a packet straddled two pieces. */
  push(piece: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest.length === 0 ? piece : concat(this.#rest, piece);
    const runs: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (!this.#locked) {
        const found = findBoundary(bytes, at);
        this.#skipped += found.at - at;
        at = found.at;
        this.#locked = found.confirmed;
        if (!found.confirmed) {
          break;
        }
      }
      const end = endOfRun(bytes, at);
      if (end > at) {
        runs.push(bytes.subarray(at, end));
        this.#skipped = 0;
        at = end;
      }
      if (bytes.length - at >= PACKET_BYTES || (at < bytes.length && bytes[at] !== SYNC_BYTE)) {
        this.#locked = false;
        continue;
      }
      break;
    }
    this.#rest = new Uint8Array(bytes.subarray(at));
    return runs;
  }
}

function endOfRun(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at + PACKET_BYTES <= bytes.length && bytes[at] === SYNC_BYTE) {
    at += PACKET_BYTES;
  }
  return at;
}

function findBoundary(bytes: Uint8Array, from: number): { readonly at: number; readonly confirmed: boolean } {
  let at = bytes.indexOf(SYNC_BYTE, from);
  while (at !== -1) {
    if (at + CONFIRMING_BYTES > bytes.length) {
      return { at, confirmed: false };
    }
    if (bytes[at + PACKET_BYTES] === SYNC_BYTE && bytes[at + 2 * PACKET_BYTES] === SYNC_BYTE) {
      return { at, confirmed: true };
    }
    at = bytes.indexOf(SYNC_BYTE, at + 1);
  }
  return { at: bytes.length, confirmed: false };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
