/** Opens the TCP port of RTMP or RTMPS. */

import type { Server } from 'node:net';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
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
/** Options of every server socket. */
export const SOCKET_OPTIONS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
};

/**
 * Listens and resolves with the port; rejects with {@link RtmpListenError}, whose message names the protocol and
 * the `setting` that chooses the port.
 */
export function listen(
  server: Server,
  address: ListenAddress,
  names: { readonly protocol: string; readonly setting: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, address, names));
    server.once('error', failed);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', failed);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
    });
  });
}

function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: ListenAddress,
  { protocol, setting }: { readonly protocol: string; readonly setting: string },
): RtmpListenError {
  const where = `${protocol} port ${port} on ${host}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new RtmpListenError(
        'rtmp-port-in-use',
        `${where} is in use: stop the program that has it, or take another with ${setting}`,
        error,
      );
    case 'EACCES':
      return new RtmpListenError(
        'rtmp-port-not-permitted',
        `${where} may not be opened by this user: take one above 1023 with ${setting}`,
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
