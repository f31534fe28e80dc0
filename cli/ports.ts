/** Checks before anything starts that the ports are free, and names who holds one that is not. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { findPortHolder } from './port-holder.ts';
import { CommandError } from './terminal.ts';

/** A port that an instance wants to listen on. */
export interface WantedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What it is for, as the user knows it. */
  readonly purpose: string;
  /** Flag of `npm start` that chooses another. */
  readonly flag: string;
}

/** Returns the port, chosen by the system where 0 was asked for. Throws a {@link CommandError} when it is taken. */
export async function reservePort(wanted: WantedPort): Promise<number> {
  try {
    return wanted.protocol === 'tcp' ? await tryTcp(wanted) : await tryUdp(wanted);
  } catch (error) {
    throw new CommandError(await portMessage(wanted, error), { cause: error });
  }
}

async function portMessage(wanted: WantedPort, error: unknown): Promise<string> {
  const { protocol, host, port, purpose, flag } = wanted;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${protocol.toUpperCase()} port ${port} on ${host} (${purpose})`;
  switch (code) {
    case 'EADDRINUSE': {
      const holder = await findPortHolder(protocol, port);
      const by = holder === undefined ? '' : ` by ${holder.command} (process ${holder.pid})`;
      return `${where} is in use${by}: stop that process, or choose another port with ${flag}`;
    }
    case 'EACCES':
      return `${where} may not be opened by this user: choose one above 1023 with ${flag}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine: choose one with --host`;
    default:
      return `${where} cannot be opened: ${String(error)}`;
  }
}

async function tryTcp({ host, port }: WantedPort): Promise<number> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function tryUdp({ host, port }: WantedPort): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, 'listening');
  const taken = socket.address().port;
  socket.close();
  await once(socket, 'close');
  return taken;
}
