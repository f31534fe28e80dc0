/** A proxy before an edge, as an operator has one, that tells it which country its viewers are in. */

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';

/** A running proxy. */
export interface PlacingProxy {
  readonly url: string;
  close(): void;
}

/** Starts a proxy for viewers of one country. */
export async function startPlacingProxy(options: {
  readonly edge: string;
  /** Header in which the edge is told. */
  readonly header: string;
  readonly country: string;
}): Promise<PlacingProxy> {
  const { edge, header, country } = options;
  const server = createServer((request, response) => {
    const headers = { ...request.headers, [header]: country };
    const { method } = request;
    const forwarded = ask(new URL(request.url ?? '/', edge), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once('error', () => response.destroy());
    response.once('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
