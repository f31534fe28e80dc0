/** Local HTTP servers that play the hub and object storage in tests, faults included. */

import { createServer, type IncomingHttpHeaders } from 'node:http';
import { decodePublishFrames, type PublishAnswer, type PublishFrame } from '#shared/wire/publish.ts';

/** A request as a test server received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** What a test server answers; `hang` keeps the connection open, `reset` breaks it. */
export type TestAnswer =
  | {
      readonly status: number;
      readonly body?: string | Uint8Array;
      readonly headers?: Record<string, string>;
    }
  | 'hang'
  | 'reset';

/** A server on a free port of the loopback address. */
export interface TestServer {
  readonly url: URL;
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts a server; `port` 0 takes any. */
export async function startTestServer(
  handle: (request: ReceivedRequest) => TestAnswer | Promise<TestAnswer>,
  port = 0,
): Promise<TestServer> {
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming;
      void Promise.resolve(handle({ method, path, headers, body: Buffer.concat(chunks) })).then((answer) => {
        if (answer === 'reset') {
          incoming.socket.destroy();
        } else if (answer !== 'hang') {
          outgoing.writeHead(answer.status, answer.headers).end(answer.body);
        }
      });
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: new URL(`http://127.0.0.1:${bound}/`),
    port: bound,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The hub's side of the publish protocol, kept in memory. */
export class TestHub {
  readonly frames: PublishFrame[] = [];
  readonly requests: ReceivedRequest[] = [];
  /** Answers given instead of the protocol's, in turn. */
  readonly faults: TestAnswer[] = [];
  /** Held requests wait for this. */
  gate: Promise<void> = Promise.resolve();
  next = 0;

  /** Answers a request as the hub does. */
  async handle(request: ReceivedRequest): Promise<TestAnswer> {
    this.requests.push(request);
    await this.gate;
    const fault = this.faults.shift();
    if (fault !== undefined) {
      return fault;
    }
    if (request.method === 'GET') {
      return { status: 200, body: JSON.stringify({ latestEpoch: 7, nextMsn: 42 }) };
    }
    const answer = this.#take(request.body);
    return { status: answer.status === 'accepted' ? 200 : 409, body: JSON.stringify(answer) };
  }

  /** Numbers of the updates taken so far. */
  get taken(): readonly number[] {
    return this.frames.map((frame) => frame.update.seq);
  }

  #take(body: Uint8Array): PublishAnswer {
    const decoded = decodePublishFrames(body);
    if (!decoded.ok) {
      return { status: 'invalid', detail: decoded.failure.reason };
    }
    for (const frame of decoded.value) {
      if (frame.update.seq > this.next) {
        return { status: 'gap', next: this.next };
      }
      if (frame.update.seq === this.next) {
        this.frames.push(frame);
        this.next += 1;
      }
    }
    return { status: 'accepted', next: this.next };
  }
}
