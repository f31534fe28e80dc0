/** Socket addresses as the C interface lays them out: sockaddr_in and sockaddr_in6. */

import { isIPv4 } from 'node:net';

/** A host in digits and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Bytes of the longer form, sockaddr_in6. */
export const SOCKET_ADDRESS_BYTES = 28;

const IPV4_BYTES = 16;
const AF_INET = 2;
const IPV4_AT = 4;
const IPV6_AT = 8;
const IPV6_GROUPS = 8;

/** Writes an endpoint; `platform` decides the form of the family, as in `process.platform`. */
export function encodeSocketAddress(endpoint: Endpoint, platform: string): Uint8Array {
  const isV4 = isIPv4(endpoint.host);
  const bytes = new Uint8Array(isV4 ? IPV4_BYTES : SOCKET_ADDRESS_BYTES);
  const view = new DataView(bytes.buffer);
  if (platform === 'darwin') {
    view.setUint8(0, bytes.length);
    view.setUint8(1, isV4 ? AF_INET : addressFamily6(platform));
  } else {
    view.setUint16(0, isV4 ? AF_INET : addressFamily6(platform), true);
  }
  view.setUint16(2, endpoint.port);
  if (isV4) {
    bytes.set(endpoint.host.split('.').map(Number), IPV4_AT);
  } else {
    expandIPv6(endpoint.host).forEach((group, index) => view.setUint16(IPV6_AT + 2 * index, group));
  }
  return bytes;
}

/** Reads an endpoint, or `undefined` where the family is neither IPv4 nor IPv6; a mapped IPv4 host is shown as such. */
export function decodeSocketAddress(bytes: Uint8Array, platform: string): Endpoint | undefined {
  if (bytes.length < SOCKET_ADDRESS_BYTES) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = platform === 'darwin' ? view.getUint8(1) : view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) {
    return { host: bytes.subarray(IPV4_AT, IPV4_AT + 4).join('.'), port };
  }
  if (family !== addressFamily6(platform)) {
    return undefined;
  }
  const groups = Array.from({ length: IPV6_GROUPS }, (_, index) => view.getUint16(IPV6_AT + 2 * index));
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const host = isMapped
    ? bytes.subarray(IPV6_AT + 12, IPV6_AT + 16).join('.')
    : canonicalIPv6(groups.map((group) => group.toString(16)).join(':'));
  return { host, port };
}

/** Renders an endpoint as in a URL's authority. */
export function renderEndpoint(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}

function addressFamily6(platform: string): number {
  return platform === 'darwin' ? 30 : 10;
}

/** The URL parser knows every way of writing an IPv6 address and answers with one: hexadecimal groups. */
function canonicalIPv6(host: string): string {
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

function expandIPv6(host: string): readonly number[] {
  const canonical = canonicalIPv6(host);
  const [head = '', tail] = canonical.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: IPV6_GROUPS - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16));
}
