/** The control API on its port. */

import { createAdaptorServer } from '@hono/node-server';
import type { Log } from '../log.ts';
import type { Registry } from 'prom-client';
import type { ControlParts } from './api/control-route.ts';
import { createControlApp } from './control-app.ts';

/** What the control server is started with. */
export interface ControlServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly token: string;
  /** True when `GET /metrics` asks for no token; false unless given. */
  readonly openMetrics?: boolean;
  readonly parts: ControlParts;
  readonly metrics: Registry;
  readonly log: Log;
}

/** A running control API. */
export interface ControlServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The control API could not start. */
class ControlServerError extends Error {
  override readonly name = 'ControlServerError';
  readonly code: 'port-in-use' | 'cannot-listen';

  constructor(code: ControlServerError['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Starts the control API; throws {@link ControlServerError} when the port cannot be had. */
export function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { host, port, token, parts, metrics, log } = options;
  const app = createControlApp({ token, parts, metrics, openMetrics: options.openMetrics ?? false });
  app.onError((error, context) => {
    log.error({ err: error, path: context.req.path }, 'control API failed');
    return context.json({ error: 'internal error' }, 500);
  });
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () => closeServer(server),
      });
    });
  });
}

function closeServer(server: ReturnType<typeof createAdaptorServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) {
      server.closeAllConnections();
    }
  });
}

function listenError(error: Error, host: string, port: number): ControlServerError {
  const code = 'code' in error ? String(error.code) : error.message;
  const place = `${host}:${port}`;
  return code === 'EADDRINUSE'
    ? new ControlServerError(
        'port-in-use',
        `control API: ${place} is in use by another process: stop it or choose another port (RILL_CONTROL_PORT)`,
        error,
      )
    : new ControlServerError(
        'cannot-listen',
        `control API: cannot listen on ${place} (${code}): check RILL_HOST and RILL_CONTROL_PORT`,
        error,
      );
}
