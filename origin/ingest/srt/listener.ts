/** The UDP port on which SRT callers arrive. */

import { lookup } from 'node:dns/promises';
import { constants } from 'node:os';
import type { Handshake, LibSrt } from './libsrt.ts';
import type { SrtLimits } from './limits.ts';
import type { Endpoint } from './socket-address.ts';
import {
  SRT_EBUSYPORT,
  SRTO_IPV6ONLY,
  SRTO_MINVERSION,
  SRTO_PEERIDLETIMEO,
  SRTO_RCVLATENCY,
  SRTO_RCVSYN,
  SRTO_REUSEADDR,
  SRTO_SNDSYN,
  STREAM_ID_VERSION,
  type SrtSocket,
} from './srt-constants.ts';
import { SrtCallError, SrtPortInUseError } from './srt-error.ts';

/** How to listen. */
export interface ListenerOptions {
  readonly lib: LibSrt;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly latencyMs: number;
  readonly limits: SrtLimits;
  /** Answers `undefined` to accept a caller, or a rejection code. */
  readonly decide: (handshake: Handshake) => number | undefined;
}

/** An open port. */
export interface SrtListener {
  readonly socket: SrtSocket;
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the port. Throws {@link SrtPortInUseError}, {@link SrtCallError}. */
export async function openListener(options: ListenerOptions): Promise<SrtListener> {
  const { lib } = options;
  const { address } = await lookup(options.host);
  const socket = lib.createSocket();
  try {
    setOptions(options, socket, address);
    bind(options, socket, { host: address, port: options.port });
    const unregister = lib.listen(socket, options.decide);
    const close = async (): Promise<void> => {
      await lib.close(socket);
      unregister();
    };
    return { socket, port: lib.localEndpoint(socket).port, close };
  } catch (error) {
    await lib.close(socket);
    throw error;
  }
}

/** Accepted sockets inherit these. */
function setOptions(options: ListenerOptions, socket: SrtSocket, address: string): void {
  const { lib, limits } = options;
  lib.setOption(socket, SRTO_RCVSYN, 0);
  lib.setOption(socket, SRTO_SNDSYN, 0);
  // Otherwise a second listener of this process would quietly share the port.
  lib.setOption(socket, SRTO_REUSEADDR, 0);
  lib.setOption(socket, SRTO_RCVLATENCY, options.latencyMs);
  lib.setOption(socket, SRTO_PEERIDLETIMEO, limits.peerIdleMs);
  lib.setOption(socket, SRTO_MINVERSION, STREAM_ID_VERSION);
  if (address.includes(':')) {
    lib.setOption(socket, SRTO_IPV6ONLY, address === '::' ? 0 : 1);
  }
}

function bind(options: ListenerOptions, socket: SrtSocket, endpoint: Endpoint): void {
  try {
    options.lib.bind(socket, endpoint);
  } catch (error) {
    if (isPortInUse(error)) {
      throw new SrtPortInUseError(options.host, options.port);
    }
    throw error;
  }
}

function isPortInUse(error: unknown): boolean {
  return (
    error instanceof SrtCallError &&
    (error.srtCode === SRT_EBUSYPORT || error.systemErrno === constants.errno.EADDRINUSE)
  );
}
