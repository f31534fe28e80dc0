/** IP addresses in text (RFC 4291 §2.2, RFC 6943 §3.1.1 for the strict form of v4) as words that compare fast. */

/**
 * An address, most significant word first: one 32-bit word for v4, four for v6. IPv4-mapped IPv6 addresses
 * (RFC 4291 §2.5.5.2) are v4, so that one client is one address whichever socket it reached.
 */
export type IpAddress = Uint32Array;

/** Longest text that is looked at: eight groups, the last two as dotted decimal. */
const MAX_TEXT_LENGTH = 45;
const V6_GROUPS = 8;
const V4_MAPPED = 0xffff;

/** An address with a port behind it, as proxies and logs write; v6 then stands in brackets. */
const WITH_PORT = /^(?:\[([^\]]*)\](?::[0-9]{1,5})?|([^:]+):[0-9]{1,5})$/;

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** Reads an address; `undefined` for what is none, octets with leading zeros and zone identifiers included. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_TEXT_LENGTH) {
    return undefined;
  }
  if (!text.includes(':')) {
    const word = parseDotted(text);
    return word === undefined ? undefined : Uint32Array.of(word);
  }
  const words = parseV6(text);
  return words !== undefined && isMapped(words) ? words.slice(3) : words;
}

/** Whether a v6 address carries a v4 one. */
function isMapped(words: IpAddress): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === V4_MAPPED;
}

/** Reads dotted decimal as one 32-bit word. */
function parseDotted(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) {
    return undefined;
  }
  let word = 0;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) {
      return undefined;
    }
    word = word * 256 + Number(octet);
  }
  return word;
}

function parseV6(text: string): IpAddress | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) {
    return undefined;
  }
  const before = parseGroups(head, tail === undefined);
  const after = parseGroups(tail ?? '', true);
  if (before === undefined || after === undefined) {
    return undefined;
  }
  const missing = V6_GROUPS - before.length - after.length;
  // "::" stands for at least one group (RFC 5952 §4.2.2 is about writing; one is read as well).
  if (tail === undefined ? missing !== 0 : missing < 1) {
    return undefined;
  }
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  const words = new Uint32Array(4);
  for (const index of words.keys()) {
    words[index] = (groups[2 * index] ?? 0) * 0x1_0000 + (groups[2 * index + 1] ?? 0);
  }
  return words;
}

/** Reads groups of 16 bits; dotted decimal may stand for the last two of an address. */
function parseGroups(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') {
    return [];
  }
  const groups: number[] = [];
  const texts = text.split(':');
  for (const [index, group] of texts.entries()) {
    if (isEnd && index === texts.length - 1 && group.includes('.')) {
      const word = parseDotted(group);
      if (word === undefined) {
        return undefined;
      }
      groups.push(Math.floor(word / 0x1_0000), word % 0x1_0000);
    } else if (GROUP.test(group)) {
      groups.push(Number.parseInt(group, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** Writes an address: v4 in dotted decimal, v6 as eight groups of four digits without leading zeros. */
function formatIpAddress(address: IpAddress): string {
  const [first = 0] = address;
  if (address.length === 1) {
    return [first >>> 24, (first >>> 16) & 0xff, (first >>> 8) & 0xff, first & 0xff].join('.');
  }
  return Array.from(address, (word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(
    ':',
  );
}

/** Reads an address, with or without a port, as the one text for it; an IPv4-mapped IPv6 address is the IPv4 one. */
export function readAddressText(text: string): string | undefined {
  const parts = WITH_PORT.exec(text);
  const address = parseIpAddress(parts?.[1] ?? parts?.[2] ?? text);
  return address === undefined ? undefined : formatIpAddress(address);
}
