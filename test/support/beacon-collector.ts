/** A page of another site, and an intake of its beacons: an HTTP server that keeps what it is told. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { beaconSchema, type Beacon, type BeaconEvent } from '../../shared/qos/beacon.ts';

/** A running collector. */
export interface BeaconCollector {
  readonly url: string;
  readonly beacons: readonly Beacon[];
  /** Events by sequence number, each once; of one session unless the page made several. */
  events(): readonly BeaconEvent[];
  close(): Promise<void>;
}

/** Starts a collector that answers `GET /` with `page`, `GET` of other paths with `files`, `POST /beacon` with 204. */
export async function startBeaconCollector(
  page: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<BeaconCollector> {
  const beacons: Beacon[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      void readText(request).then((text) => {
        beacons.push(beaconSchema.parse(JSON.parse(text)));
        response.writeHead(204).end();
      });
      return;
    }
    const file = request.url === '/' ? page : files[request.url ?? ''];
    const type = request.url === '/' ? 'text/html' : 'text/javascript';
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': type }).end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    beacons,
    events: () => {
      const bySequence = new Map(beacons.flatMap(({ events }) => events).map((event) => [event.seq, event]));
      return [...bySequence.values()].sort((a, b) => a.seq - b.seq);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
  }
  return text;
}
