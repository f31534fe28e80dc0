/** An HTTP proxy that does to requests what networks and servers do, on demand and alike for the same seed. */

import {
  createServer,
  request as sendRequest,
  Agent,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to every request. */
export type Fault =
  | { readonly kind: 'none' }
  /** The connection is reset before anything is answered. */
  | { readonly kind: 'refuse' }
  /** Nothing is ever answered. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** A share of the requests, 0 to 1, is answered with one of these statuses. */
  | { readonly kind: 'status'; readonly statuses: readonly number[]; readonly share: number }
  /** A share of the requests reaches the target only to its middle; then the connection is reset. */
  | { readonly kind: 'reset'; readonly share: number }
  /** Bodies pass at this speed, each on its own. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

/** A running proxy. */
export interface FaultProxy {
  readonly url: string;
  /** From now on; connections that are open are cut where the fault is one of connections. */
  set(fault: Fault): void;
  /** Requests that a fault has hit so far. */
  hits(): number;
  close(): Promise<void>;
}

/** Starts a proxy on a free port; `target` is asked for with every request, so that it may be known later. */
export async function startFaultProxy(target: () => URL, seed: number): Promise<FaultProxy> {
  const proxy = new Proxy(target, seed);
  const server = createServer((incoming, outgoing) => {
    proxy.handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    set: (fault) => {
      proxy.fault = fault;
      if (fault.kind === 'refuse' || fault.kind === 'none') {
        server.closeAllConnections();
      }
    },
    hits: () => proxy.hits,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      proxy.agent.destroy();
      await closed;
    },
  };
}

class Proxy {
  fault: Fault = { kind: 'none' };
  hits = 0;
  readonly agent = new Agent({ keepAlive: true });
  readonly #target: () => URL;
  #state: number;

  constructor(target: () => URL, seed: number) {
    this.#target = target;
    this.#state = seed >>> 0;
  }

  async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { fault } = this;
    incoming.on('error', () => undefined);
    this.hits += Number(fault.kind !== 'none');
    switch (fault.kind) {
      case 'refuse':
        incoming.socket.resetAndDestroy();
        return;
      case 'hang':
        incoming.resume();
        return;
      case 'status':
        if (this.#random() < fault.share) {
          await this.#answer(incoming, outgoing, fault.statuses);
          return;
        }
        break;
      case 'reset':
        if (this.#random() < fault.share) {
          this.#forward(incoming, outgoing, await readBody(incoming), true);
          return;
        }
        break;
      case 'delay':
        await sleep(fault.milliseconds);
        break;
      case 'throttle':
      case 'none':
        break;
    }
    const body = await readBody(incoming, fault.kind === 'throttle' ? fault.bytesPerSecond : undefined);
    this.#forward(incoming, outgoing, body, false);
  }

  async #answer(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    statuses: readonly number[],
  ): Promise<void> {
    await readBody(incoming);
    const status = statuses[Math.floor(this.#random() * statuses.length)] ?? 500;
    outgoing.writeHead(status, { 'content-type': 'application/xml' });
    outgoing.end(`<Error><Code>Injected${status}</Code></Error>`);
  }

  /** The host stays as the client named it: it is part of what was signed. */
  #forward(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, cut: boolean): void {
    const target = this.#target();
    const upstream = sendRequest(
      {
        agent: this.agent,
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => incoming.socket.destroy());
    if (cut) {
      upstream.write(body.subarray(0, body.length / 2), () => {
        upstream.destroy();
        incoming.socket.resetAndDestroy();
      });
      return;
    }
    upstream.end(body);
  }

  /** The mulberry32 generator: small, and alike on every machine. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

async function readBody(incoming: IncomingMessage, bytesPerSecond?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming.iterator()) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes);
    if (bytesPerSecond !== undefined) {
      await sleep((bytes.length / bytesPerSecond) * 1000);
    }
  }
  return Buffer.concat(chunks);
}
