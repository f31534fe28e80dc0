/** Writes EBML, RFC 8794: elements of an id, a size and their content. */

/** Sizes take four bytes throughout, so each must stay below 2^28 - 1. */
const SIZE_BYTES = 4;
const SIZE_MARKER = 0x1000_0000;

/** Writes an element around other bytes. */
export function ebmlElement(id: number, ...content: readonly Uint8Array[]): Uint8Array {
  const idBytes = bytesOf(id);
  const size = content.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = new Uint8Array(idBytes.length + SIZE_BYTES + size);
  bytes.set(idBytes);
  new DataView(bytes.buffer).setUint32(idBytes.length, SIZE_MARKER + size);
  let at = idBytes.length + SIZE_BYTES;
  for (const piece of content) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Writes an element with an unsigned integer. */
export function ebmlUnsigned(id: number, value: number): Uint8Array {
  return ebmlElement(id, bytesOf(value));
}

/** Writes an element with a float of 64 bits. */
export function ebmlFloat(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return ebmlElement(id, bytes);
}

/** Writes an element with text. */
export function ebmlText(id: number, value: string): Uint8Array {
  return ebmlElement(id, new TextEncoder().encode(value));
}

/** A number in as few bytes as hold it, one at least. */
function bytesOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.unshift(rest % 256);
    rest = Math.floor(rest / 256);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
