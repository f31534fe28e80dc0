/** RTMP ingest: one TCP port that many encoders publish to at once. */

import { createServer } from 'node:net';
import { ConnectionTable, type ConnectionTableOptions } from './connection-table.ts';
import { listen, SOCKET_OPTIONS, type ListenAddress, type RtmpServer } from './listen.ts';

/** What an RTMP server needs. */
export interface RtmpServerOptions extends ListenAddress, ConnectionTableOptions {}

/** Listens for encoders; rejects with `RtmpListenError` where that is not possible. */
export async function startRtmpServer(options: RtmpServerOptions): Promise<RtmpServer> {
  const { host, log } = options;
  const connections = new ConnectionTable(options);
  const server = createServer(SOCKET_OPTIONS);
  server.on('connection', (socket) => {
    if (connections.admit(socket)) {
      connections.serve(socket);
    }
  });
  const port = await listen(server, options, { protocol: 'RTMP', setting: '--rtmp-port' });
  server.on('error', (error) => log.error({ err: error }, 'the RTMP port failed to accept'));
  log.info({ host, port }, 'RTMP listens');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.closeAll('the origin is stopping');
      }),
  };
}
