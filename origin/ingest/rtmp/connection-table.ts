/** The open connections of one RTMP port, counted in all and by address. */

import type { Socket } from 'node:net';
import type { Log } from '../../log.ts';
import type { IngestGate } from '../media-feed.ts';
import type { ConnectionProtection } from '../protection/protection.ts';
import { RTMP_LIMITS, type RtmpLimits } from './limits.ts';
import { RtmpConnection } from './rtmp-connection.ts';

/** What all connections of a port share. */
export interface ConnectionTableOptions {
  readonly gate: IngestGate;
  readonly log: Log;
  /** Bounds that differ from {@link RTMP_LIMITS}. */
  readonly limits?: Partial<RtmpLimits> | undefined;
  /** Rates by address and connection, where there are any. */
  readonly protection?: ConnectionProtection | undefined;
}

const IPV4_MAPPED_PREFIX = '::ffff:';

/** Admits sockets within the limits and serves RTMP on them. */
export class ConnectionTable {
  readonly #options: ConnectionTableOptions;
  readonly limits: RtmpLimits;
  readonly #sockets = new Set<Socket>();
  readonly #open = new Set<RtmpConnection>();
  readonly #byAddress = new Map<string, number>();

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
    this.limits = { ...RTMP_LIMITS, ...options.limits };
  }

  /** Counts a TCP connection until it closes; false where it was one too many and has been destroyed. */
  admit(socket: Socket): boolean {
    const remoteAddress = peerAddress(socket);
    if (this.#options.protection?.arrives(remoteAddress) === false) {
      return refuse(socket);
    }
    const fromAddress = this.#byAddress.get(remoteAddress) ?? 0;
    const { connections, connectionsPerAddress } = this.limits;
    if (this.#sockets.size >= connections || fromAddress >= connectionsPerAddress) {
      const counts = { remoteAddress, open: this.#sockets.size, fromAddress };
      this.#options.log.warn(counts, 'RTMP connection refused: too many connections');
      return refuse(socket);
    }
    this.#sockets.add(socket);
    this.#byAddress.set(remoteAddress, fromAddress + 1);
    socket.once('close', () => this.#remove(socket, remoteAddress));
    return true;
  }

  /** Serves RTMP on a socket: one that was admitted, or the TLS socket over it. */
  serve(socket: Socket): void {
    const { gate, log, protection } = this.#options;
    const context = { gate, log, protection, limits: this.limits };
    const connection = new RtmpConnection(socket, peerAddress(socket), context);
    this.#open.add(connection);
    socket.once('close', () => this.#open.delete(connection));
  }

  /** Ends every connection; those that have not begun to speak RTMP at once. */
  closeAll(detail: string): void {
    for (const connection of this.#open) {
      connection.close(detail);
    }
    if (this.#open.size < this.#sockets.size) {
      const end = setTimeout(() => {
        for (const socket of this.#sockets) {
          socket.destroy();
        }
      }, this.limits.closeGraceMs);
      end.unref();
    }
  }

  #remove(socket: Socket, remoteAddress: string): void {
    this.#sockets.delete(socket);
    const left = (this.#byAddress.get(remoteAddress) ?? 1) - 1;
    if (left > 0) {
      this.#byAddress.set(remoteAddress, left);
    } else {
      this.#byAddress.delete(remoteAddress);
    }
  }
}

function refuse(socket: Socket): false {
  socket.on('error', () => socket.destroy());
  socket.destroy();
  return false;
}

/** The peer's address, IPv4 in its own form. */
export function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith(IPV4_MAPPED_PREFIX) ? address.slice(IPV4_MAPPED_PREFIX.length) : address;
}
