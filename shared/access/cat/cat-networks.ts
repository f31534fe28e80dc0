/** `catnip` (CTA-5007-B §4.6.9): addresses and prefixes in the tags of RFC 9164, and autonomous system numbers. */

import { parseIpPrefix } from '../ip-prefix.ts';
import type { CatLimits } from './cat-limits.ts';
import { Tagged } from './cbor.ts';

const V4_TAG = 52;
const V6_TAG = 54;
const MAX_NETWORKS = 250;
const LARGEST_ASN = 0xffff_ffff;

/** Reads the claim's list; `undefined` where an entry is none of the forms. */
export function readNetworks(value: unknown): CatLimits['networks'] {
  if (!Array.isArray(value) || value.length > MAX_NETWORKS) {
    return undefined;
  }
  const prefixes: string[] = [];
  const asns: number[] = [];
  for (const entry of value as readonly unknown[]) {
    const prefix = entry instanceof Tagged ? readPrefix(entry) : undefined;
    if (typeof entry === 'number' && Number.isInteger(entry) && entry >= 0 && entry <= LARGEST_ASN) {
      asns.push(entry);
    } else if (prefix !== undefined && parseIpPrefix(prefix) !== undefined) {
      prefixes.push(prefix);
    } else {
      return undefined;
    }
  }
  return { prefixes, asns };
}

/** An address is its bytes, a prefix its length and the bytes that are not zero at its end (RFC 9164 §3). */
function readPrefix({ tag, value }: Tagged): string | undefined {
  const width = widthOf(tag);
  const parts: readonly unknown[] = Array.isArray(value) ? value : [width * 8, value];
  const [length, bytes] = parts;
  const isWhole = !Array.isArray(value) && bytes instanceof Uint8Array && bytes.length !== width;
  if (parts.length !== 2 || typeof length !== 'number' || !(bytes instanceof Uint8Array) || isWhole) {
    return undefined;
  }
  return bytes.length > width ? undefined : `${addressText(bytes, width)}/${length}`;
}

function widthOf(tag: number): number {
  if (tag === V4_TAG) {
    return 4;
  }
  return tag === V6_TAG ? 16 : 0;
}

function addressText(bytes: Uint8Array, width: number): string {
  const whole = Array.from({ length: width }, (_, index) => bytes[index] ?? 0);
  if (width === 4) {
    return whole.join('.');
  }
  const groups = Array.from({ length: width / 2 }, (_, index) =>
    ((whole[2 * index] ?? 0) * 256 + (whole[2 * index + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
