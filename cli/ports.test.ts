import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listeningInodes } from './port-holder.ts';
import { reservePort, type WantedPort } from './ports.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) {
    close();
  }
});

test('a free port is as good as asked for, and 0 takes any', async () => {
  const port = await reservePort(wanted('tcp', 0));
  expect(port).toBeGreaterThan(0);
  expect(await reservePort(wanted('tcp', port))).toBe(port);
});

test('names a TCP port in use, its purpose, the flag that chooses another and who holds it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const failure = await reservePort(wanted('tcp', port)).catch(String);
  expect(failure).toContain(`TCP port ${port} on 127.0.0.1 (edge) is in use`);
  expect(failure).toContain('choose another port with --edge-port');
  if (process.platform === 'linux') {
    expect(failure).toContain(`(process ${process.pid})`);
  }
});

test('names a UDP port in use', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  closing.push(() => socket.close());
  await once(socket, 'listening');
  const { port } = socket.address();
  await expect(reservePort(wanted('udp', port))).rejects.toThrow(
    `UDP port ${port} on 127.0.0.1 (edge) is in use`,
  );
});

test('says so when the address is not of this machine', async () => {
  await expect(reservePort({ ...wanted('tcp', 0), host: '192.0.2.1' })).rejects.toThrow(
    '192.0.2.1 is not an address of this machine',
  );
});

test('reads the sockets that listen on a port from the kernel table', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0',
    '   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0',
    '   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 103 1 0',
  ].join('\n');
  expect(listeningInodes(table, '0A', 8080)).toEqual(['101']);
});

function wanted(protocol: WantedPort['protocol'], port: number): WantedPort {
  return { protocol, host: '127.0.0.1', port, purpose: 'edge', flag: '--edge-port' };
}
