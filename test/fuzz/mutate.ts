/** Damages bytes as links, broken encoders and attackers do; the same damage for the same random numbers. */

/** Most changes of one case. */
const MAX_CHANGES = 6;
/** Longest case: what is spliced and repeated does not grow without end. */
const MAX_CASE_BYTES = 32 * 1024;
/** Values at which lengths, counts and time stamps go wrong. */
const EXTREMES = [0, 1, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7f_ffff, 0xff_ffff, 0x7fff_ffff];
const FIELD_WIDTHS = [1, 2, 3, 4, 8];

/** Numbers from 0 up to, without, 1. */
export type Random = () => number;

/** Makes a case: one of the seeds with one to six changes. `seeds` must not be empty. */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Uint8Array.from(pick(seeds, random));
  const changes = 1 + below(random, MAX_CHANGES);
  for (let change = 0; change < changes; change += 1) {
    bytes = changeOnce(bytes, seeds, random);
  }
  return bytes.length > MAX_CASE_BYTES ? bytes.slice(0, MAX_CASE_BYTES) : bytes;
}

/** Cuts bytes into the pieces in which a socket might bring them: mostly a few, sometimes single bytes. */
export function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  const longest = random() < 0.05 ? 3 : 1 + below(random, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + 1 + below(random, longest));
    yield bytes.subarray(at, end);
    at = end;
  }
}

function changeOnce(bytes: Uint8Array<ArrayBuffer>, seeds: readonly Uint8Array[], random: Random) {
  const at = below(random, bytes.length);
  switch (below(random, 8)) {
    case 0:
    case 1:
      return flip(bytes, at, 1 << below(random, 8));
    case 2:
      return flip(bytes, at, below(random, 256));
    case 3:
    case 4:
      return writeExtreme(bytes, at, random);
    case 5:
      return bytes.slice(0, at);
    case 6: {
      const other = pick(seeds, random);
      return join(bytes.subarray(0, at), other.subarray(below(random, other.length)));
    }
    default: {
      const end = at + below(random, Math.min(512, bytes.length - at));
      return random() < 0.5
        ? join(bytes.subarray(0, at), bytes.subarray(end))
        : join(bytes.subarray(0, end), bytes.subarray(at));
    }
  }
}

function flip(bytes: Uint8Array<ArrayBuffer>, at: number, mask: number): Uint8Array<ArrayBuffer> {
  if (at < bytes.length) {
    bytes[at] = (bytes[at] ?? 0) ^ mask;
  }
  return bytes;
}

/** Writes an extreme as a big-endian field, as all of these formats have them; one in eight from its top. */
function writeExtreme(bytes: Uint8Array<ArrayBuffer>, at: number, random: Random): Uint8Array<ArrayBuffer> {
  const width = pick(FIELD_WIDTHS, random);
  const value = pick(EXTREMES, random);
  const inverted = random() < 0.125 ? 0xff : 0;
  for (let index = 0; index < width && at + index < bytes.length; index += 1) {
    const shift = 8 * (width - 1 - index);
    bytes[at + index] = (shift > 24 ? 0 : (value >>> shift) & 0xff) ^ inverted;
  }
  return bytes;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(Math.min(first.length + second.length, 2 * MAX_CASE_BYTES));
  joined.set(first.subarray(0, joined.length));
  joined.set(second.subarray(0, joined.length - Math.min(first.length, joined.length)), first.length);
  return joined;
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(list: readonly T[], random: Random): T {
  const picked = list[below(random, list.length)];
  if (picked === undefined) {
    throw new Error('there is nothing to pick from');
  }
  return picked;
}
