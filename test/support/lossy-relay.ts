/** A UDP relay that loses packets, the same ones for the same seed: what a bad path does to SRT. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** How to relay. */
export interface LossyRelayOptions {
  readonly targetPort: number;
  /** Share of packets lost in each direction, 0 to 1. */
  readonly lossRate: number;
  readonly seed: number;
  readonly host: string;
}

/** A running relay. */
export interface LossyRelay {
  readonly port: number;
  /** Packets lost on purpose so far. */
  dropped(): number;
  /** Packets passed on so far. */
  forwarded(): number;
  close(): Promise<void>;
}

/** Clients served at once; a test that has more has a fault. */
const MAX_CLIENTS = 64;

/** Starts a relay on a free port; each client gets its own socket towards the target. */
export async function startLossyRelay(options: LossyRelayOptions): Promise<LossyRelay> {
  const front = createSocket(socketType(options.host));
  const relay = new Relay(front, options);
  front.on('message', (message, client) => relay.fromClient(message, client));
  await bind(front, options.host);
  return {
    port: front.address().port,
    dropped: () => relay.dropped,
    forwarded: () => relay.forwarded,
    close: () => relay.close(),
  };
}

class Relay {
  dropped = 0;
  forwarded = 0;
  readonly #front: Socket;
  readonly #options: LossyRelayOptions;
  readonly #random: () => number;
  readonly #upstreams = new Map<string, Socket>();
  #closed = false;

  constructor(front: Socket, options: LossyRelayOptions) {
    this.#front = front;
    this.#options = options;
    this.#random = mulberry32(options.seed);
  }

  fromClient(message: Uint8Array, client: RemoteInfo): void {
    if (this.#loses()) {
      return;
    }
    const upstream = this.#upstreamOf(client);
    upstream?.send(message, this.#options.targetPort, this.#options.host);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const sockets = [this.#front, ...this.#upstreams.values()];
    await Promise.all(
      sockets.map(async (socket) => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      }),
    );
  }

  #upstreamOf(client: RemoteInfo): Socket | undefined {
    const name = `${client.address}:${client.port}`;
    const known = this.#upstreams.get(name);
    if (known !== undefined || this.#upstreams.size >= MAX_CLIENTS) {
      return known;
    }
    const upstream = createSocket(socketType(this.#options.host));
    upstream.on('message', (message) => {
      if (!this.#loses()) {
        this.#front.send(message, client.port, client.address);
      }
    });
    this.#upstreams.set(name, upstream);
    return upstream;
  }

  #loses(): boolean {
    const loses = this.#closed || this.#random() < this.#options.lossRate;
    if (loses) {
      this.dropped += 1;
    } else {
      this.forwarded += 1;
    }
    return loses;
  }
}

function socketType(host: string): 'udp4' | 'udp6' {
  return host.includes(':') ? 'udp6' : 'udp4';
}

async function bind(socket: Socket, host: string): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind(0, host);
  await listening;
}

/** The mulberry32 generator: small, and alike on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
