/** RTMP ingest: one TCP port that many encoders publish to at once. */

import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../log.ts';
import type { IngestGate } from '../media-feed.ts';
import { RTMP_LIMITS, type RtmpLimits } from './limits.ts';
import { RtmpConnection } from './rtmp-connection.ts';

/** What an RTMP server needs. */
export interface RtmpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly gate: IngestGate;
  readonly log: Log;
  /** Bounds that differ from {@link RTMP_LIMITS}. */
  readonly limits?: Partial<RtmpLimits>;
}

/** A listening RTMP server. */
export interface RtmpServer {
  readonly port: number;
  /** Takes no more encoders, ends all feeds with reason `closed`, and is done when the last socket is. */
  close(): Promise<void>;
}

/** Why an RTMP server could not listen. */
type RtmpListenErrorCode =
  'rtmp-port-in-use' | 'rtmp-port-not-permitted' | 'rtmp-address-not-available' | 'rtmp-listen-failed';

/** Thrown when the port cannot be listened on; the message says what to do. */
export class RtmpListenError extends Error {
  override readonly name = 'RtmpListenError';
  readonly code: RtmpListenErrorCode;

  constructor(code: RtmpListenErrorCode, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Time from which TCP itself probes a silent connection, so that half-open ones go away. */
const KEEP_ALIVE_DELAY_MS = 10_000;
const IPV4_MAPPED_PREFIX = '::ffff:';

/** Listens for encoders; rejects with {@link RtmpListenError} where that is not possible. */
export async function startRtmpServer(options: RtmpServerOptions): Promise<RtmpServer> {
  const connections = new ConnectionTable(options);
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  });
  server.on('connection', (socket) => connections.accept(socket));
  await listen(server, options);
  server.on('error', (error) => options.log.error({ err: error }, 'the RTMP port failed to accept'));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  options.log.info({ host: options.host, port }, 'RTMP listens');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.closeAll('the origin is stopping');
      }),
  };
}

/** The open connections, counted in all and by address. */
class ConnectionTable {
  readonly #options: RtmpServerOptions;
  readonly #limits: RtmpLimits;
  readonly #open = new Set<RtmpConnection>();
  readonly #byAddress = new Map<string, number>();

  constructor(options: RtmpServerOptions) {
    this.#options = options;
    this.#limits = { ...RTMP_LIMITS, ...options.limits };
  }

  accept(socket: Socket): void {
    const remoteAddress = peerAddress(socket);
    const fromAddress = this.#byAddress.get(remoteAddress) ?? 0;
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#open.size >= connections || fromAddress >= connectionsPerAddress) {
      const counts = { remoteAddress, open: this.#open.size, fromAddress };
      this.#options.log.warn(counts, 'RTMP connection refused: too many connections');
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return;
    }
    const { gate, log } = this.#options;
    const connection = new RtmpConnection(socket, remoteAddress, { gate, log, limits: this.#limits });
    this.#open.add(connection);
    this.#byAddress.set(remoteAddress, fromAddress + 1);
    socket.once('close', () => this.#remove(connection, remoteAddress));
  }

  closeAll(detail: string): void {
    for (const connection of this.#open) {
      connection.close(detail);
    }
  }

  #remove(connection: RtmpConnection, remoteAddress: string): void {
    this.#open.delete(connection);
    const left = (this.#byAddress.get(remoteAddress) ?? 1) - 1;
    if (left > 0) {
      this.#byAddress.set(remoteAddress, left);
    } else {
      this.#byAddress.delete(remoteAddress);
    }
  }
}

function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith(IPV4_MAPPED_PREFIX) ? address.slice(IPV4_MAPPED_PREFIX.length) : address;
}

function listen(server: Server, options: RtmpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, options));
    server.once('error', failed);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, { host, port }: RtmpServerOptions): RtmpListenError {
  const where = `RTMP port ${port} on ${host}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new RtmpListenError(
        'rtmp-port-in-use',
        `${where} is in use: stop the program that has it, or take another with --rtmp-port`,
        error,
      );
    case 'EACCES':
      return new RtmpListenError(
        'rtmp-port-not-permitted',
        `${where} may not be opened by this user: take one above 1023 with --rtmp-port`,
        error,
      );
    case 'EADDRNOTAVAIL':
      return new RtmpListenError(
        'rtmp-address-not-available',
        `${where} cannot be opened: this machine does not have that address, give another with --host`,
        error,
      );
    default:
      return new RtmpListenError('rtmp-listen-failed', `${where} cannot be opened: ${error.message}`, error);
  }
}
