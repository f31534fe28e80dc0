/**
 * A wall clock written into pictures as pixels, and read back from them: what glass-to-glass latency and the
 * age of a part are measured with. Forty black or white blocks in two rows at the top of the picture hold
 * 32 bits of Unix milliseconds and an 8-bit checksum; sizes are relative, so it survives scaling.
 */

const COLUMNS = 20;
const ROWS = 2;
const CHECKSUM_BITS = 8;
const VALUE_BITS = 32;
const RANGE = 2 ** VALUE_BITS;
const WHITE = 235;
const BLACK = 16;
const THRESHOLD = 128;

/** A luma plane: `stride` bytes a line. */
export interface LumaPlane {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly stride: number;
}

/** Writes the low 32 bits of `unixMilliseconds` into the top of a luma plane. */
export function writeStamp(plane: LumaPlane, unixMilliseconds: number): void {
  const value = Math.floor(unixMilliseconds) % RANGE;
  const bits = [...toBits(value, VALUE_BITS), ...toBits(checksum(value), CHECKSUM_BITS)];
  const size = plane.width / COLUMNS;
  for (let y = 0; y < Math.floor(size * ROWS); y += 1) {
    const row = Math.floor(y / size);
    for (let x = 0; x < plane.width; x += 1) {
      const bit = bits[row * COLUMNS + Math.floor(x / size)];
      plane.data[y * plane.stride + x] = bit === 1 ? WHITE : BLACK;
    }
  }
}

/** Reads the stamp of a luma plane as Unix milliseconds near `now`, or `undefined` where there is none. */
export function readStamp(plane: LumaPlane, now: number): number | undefined {
  const size = plane.width / COLUMNS;
  const bits = Array.from({ length: COLUMNS * ROWS }, (_, index) => {
    const x = Math.floor(((index % COLUMNS) + 0.5) * size);
    const y = Math.floor((Math.floor(index / COLUMNS) + 0.5) * size);
    return (plane.data[y * plane.stride + x] ?? 0) > THRESHOLD ? 1 : 0;
  });
  const value = fromBits(bits.slice(0, VALUE_BITS));
  if (fromBits(bits.slice(VALUE_BITS)) !== checksum(value)) {
    return undefined;
  }
  const base = Math.floor(now / RANGE) * RANGE;
  return base + value > now + RANGE / 2 ? base + value - RANGE : base + value;
}

function toBits(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 2 ** (count - 1 - index)) % 2);
}

function fromBits(bits: readonly number[]): number {
  return bits.reduce((value, bit) => value * 2 + bit, 0);
}

function checksum(value: number): number {
  let sum = 0xa5;
  for (const byte of [value >>> 24, value >>> 16, value >>> 8, value]) {
    sum = (sum * 31 + (byte & 0xff)) & 0xff;
  }
  return sum;
}
