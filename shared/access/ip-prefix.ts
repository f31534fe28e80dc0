/** CIDR prefixes (RFC 4632 §3.1, RFC 4291 §2.3), and sets of them that answer in a binary search. */

import { parseIpAddress, type IpAddress } from './ip-address.ts';

/** A range of addresses of one version, both ends included. */
export interface IpRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
  /** Whether the text's address was the range's first, as it is written. */
  readonly isCanonical: boolean;
}

const WORD_BITS = 32;
/** Bits of an IPv4-mapped IPv6 address before those of v4. */
const MAPPED_BITS = 96;
const LENGTH = /^(?:0|[1-9][0-9]{0,2})$/;

/** Reads `address/length`, or an address alone as a range of one; `undefined` for what is neither. */
export function parseIpPrefix(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const address = parseIpAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) {
    return undefined;
  }
  const width = address.length * WORD_BITS;
  if (slash === -1) {
    return rangeOf(address, width);
  }
  const lengthText = text.slice(slash + 1);
  if (!LENGTH.test(lengthText)) {
    return undefined;
  }
  const isMapped = address.length === 1 && text.includes(':');
  const length = Number(lengthText) - (isMapped ? MAPPED_BITS : 0);
  return length < 0 || length > width ? undefined : rangeOf(address, length);
}

function rangeOf(address: IpAddress, length: number): IpRange {
  const first = address.slice();
  const last = address.slice();
  for (const [index, word] of address.entries()) {
    const kept = Math.min(WORD_BITS, Math.max(0, length - index * WORD_BITS));
    // A shift by 32 is one by 0.
    const hostMask = kept === 0 ? 0xffff_ffff : 2 ** (WORD_BITS - kept) - 1;
    first[index] = word & ~hostMask;
    last[index] = word | hostMask;
  }
  return { first, last, isCanonical: compare(first, address) === 0 };
}

/** Addresses under any of some prefixes. */
export interface IpPrefixSet {
  readonly v4: readonly IpRange[];
  readonly v6: readonly IpRange[];
}

/** Makes a set: ranges sorted, those within others left out, so that no two overlap. */
export function ipPrefixSet(ranges: readonly IpRange[]): IpPrefixSet {
  return {
    v4: disjoint(ranges.filter(({ first }) => first.length === 1)),
    v6: disjoint(ranges.filter(({ first }) => first.length !== 1)),
  };
}

/** Tells whether an address is in a set. */
export function hasIpAddress(set: IpPrefixSet, address: IpAddress): boolean {
  const ranges = address.length === 1 ? set.v4 : set.v6;
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined || compare(range.first, address) > 0) {
      high = middle;
    } else if (compare(range.last, address) >= 0) {
      return true;
    } else {
      low = middle + 1;
    }
  }
  return false;
}

/** Two prefixes either do not meet or one lies within the other, which is then the one that begins first. */
function disjoint(ranges: readonly IpRange[]): readonly IpRange[] {
  const sorted = ranges.toSorted((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const kept: IpRange[] = [];
  for (const range of sorted) {
    const before = kept.at(-1);
    if (before === undefined || compare(before.last, range.first) < 0) {
      kept.push(range);
    }
  }
  return kept;
}

function compare(a: IpAddress, b: IpAddress): number {
  // An iterator would cost more than the comparison.
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
