import { assert, constantFrom, ipV4, ipV6, nat, oneof, property } from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeSocketAddress,
  encodeSocketAddress,
  renderEndpoint,
  SOCKET_ADDRESS_BYTES,
} from './socket-address.ts';

test('lays out sockaddr_in as Linux does', () => {
  const bytes = encodeSocketAddress({ host: '127.0.0.1', port: 9000 }, 'linux');
  expect([...bytes]).toEqual([2, 0, 0x23, 0x28, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('lays out sockaddr_in6 as macOS does', () => {
  const bytes = encodeSocketAddress({ host: '::1', port: 9000 }, 'darwin');
  expect([...bytes.subarray(0, 4)]).toEqual([28, 30, 0x23, 0x28]);
  expect(bytes[23]).toBe(1);
});

test('shows a mapped IPv4 address as IPv4', () => {
  const bytes = encodeSocketAddress({ host: '::ffff:192.0.2.7', port: 1 }, 'linux');
  expect(decodeSocketAddress(bytes, 'linux')).toEqual({ host: '192.0.2.7', port: 1 });
});

test('reads back every address', () => {
  const hosts = oneof(ipV4(), ipV6());
  assert(
    property(hosts, nat(65_535), constantFrom('linux', 'darwin'), (host, port, platform) => {
      const once = decodeSocketAddress(padded(encodeSocketAddress({ host, port }, platform)), platform);
      expect(once?.port).toBe(port);
      const again = encodeSocketAddress(once ?? { host: '', port: 0 }, platform);
      expect(decodeSocketAddress(padded(again), platform)).toEqual(once);
    }),
  );
});

test('renders an endpoint as a URL does', () => {
  expect(renderEndpoint({ host: '::1', port: 9000 })).toBe('[::1]:9000');
  expect(renderEndpoint({ host: '127.0.0.1', port: 9000 })).toBe('127.0.0.1:9000');
});

function padded(bytes: Uint8Array): Uint8Array {
  const full = new Uint8Array(SOCKET_ADDRESS_BYTES);
  full.set(bytes);
  return full;
}
