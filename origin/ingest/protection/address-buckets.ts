/** Token buckets by address, in a table of bounded size. */

import { parseIpAddress, readAddressText } from '#shared/access/ip-address.ts';

/** Addresses remembered; a hundred bytes each. When full, the one not seen for longest is forgotten. */
const MAX_ADDRESSES = 8_192;
/** Words of an IPv6 address that name a network: whoever has one address of a /64 has all of them. */
const NETWORK_WORDS = 2;
const MS_PER_SECOND = 1_000;

/** How a bucket fills. */
export interface BucketRate {
  /** What it holds at most, and to begin with. */
  readonly size: number;
  /** What comes back each second. */
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** Counts what each address does against a rate. */
export class AddressBuckets {
  readonly #rate: BucketRate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now` is a clock in milliseconds that never goes back. */
  constructor(rate: BucketRate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Addresses in the table. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one; false where there was none left. */
  take(address: string): boolean {
    const bucket = this.#fill(address);
    if (bucket.left < 1) {
      return false;
    }
    bucket.left -= 1;
    return true;
  }

  /** Seconds until an address has one again; 0 where it has. */
  waitSeconds(address: string): number {
    const known = this.#buckets.get(networkOf(address));
    const left = known === undefined ? this.#rate.size : this.#leftOf(known);
    return left >= 1 ? 0 : (1 - left) / this.#rate.perSecond;
  }

  #leftOf({ left, at }: Bucket): number {
    const { size, perSecond } = this.#rate;
    return Math.min(size, left + ((this.#now() - at) / MS_PER_SECOND) * perSecond);
  }

  /** The bucket as it is by now, made the most recently seen one. */
  #fill(address: string): Bucket {
    const key = networkOf(address);
    const known = this.#buckets.get(key);
    const left = known === undefined ? this.#rate.size : this.#leftOf(known);
    this.#buckets.delete(key);
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size >= MAX_ADDRESSES && oldest.done !== true) {
      this.#buckets.delete(oldest.value);
    }
    const bucket = { left, at: this.#now() };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

/** What an address with or without its port counts as: IPv4 itself, IPv6 its /64. */
export function networkOf(remoteAddress: string): string {
  const text = readAddressText(remoteAddress);
  const words = text === undefined ? undefined : parseIpAddress(text);
  return words === undefined ? 'unknown' : words.slice(0, NETWORK_WORDS).join('.');
}
