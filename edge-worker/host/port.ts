/** Asks the operating system whether a TCP port can be listened on. */

import { createServer } from 'node:net';

/** A port is taken by another process. */
export class PortInUseError extends Error {
  readonly code = 'RILL_PORT_IN_USE';
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number, cause: unknown) {
    super(`port ${port} on ${host} is in use: stop the process that holds it or choose another port`, {
      cause,
    });
    this.name = 'PortInUseError';
    this.host = host;
    this.port = port;
  }
}

/** Returns when the port is free (0 always is); throws a {@link PortInUseError} or the system's own error. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortInUseError(host, port, error) : error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve();
      });
    });
  });
}
