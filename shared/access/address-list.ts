/** Lists of CIDR prefixes as grants carry them. */

import { parseIpAddress } from './ip-address.ts';
import { hasIpAddress, ipPrefixSet, parseIpPrefix, type IpPrefixSet } from './ip-prefix.ts';

/** A grant's prefixes, made ready once for as long as the grant lives. */
const sets = new WeakMap<readonly string[], IpPrefixSet>();

/** Tells whether an address is under one of some prefixes; one that is not known is under none. */
export function hasAddress(prefixes: readonly string[], text: string | undefined): boolean {
  const address = text === undefined ? undefined : parseIpAddress(text);
  if (address === undefined) {
    return false;
  }
  let set = sets.get(prefixes);
  if (set === undefined) {
    set = ipPrefixSet(prefixes.map((prefix) => parseIpPrefix(prefix)).filter((range) => range !== undefined));
    sets.set(prefixes, set);
  }
  return hasIpAddress(set, address);
}
