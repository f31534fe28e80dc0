/** SRT ingest: one UDP port for all streams, each caller routed and admitted by its stream id. */

import type { Log } from '../../log.ts';
import type { IngestGate } from '../media-feed.ts';
import { SrtConnection, type ConnectionContext } from './connection.ts';
import { Handshakes } from './handshakes.ts';
import { LibSrt } from './libsrt.ts';
import { DEFAULT_SRT_LIMITS, type SrtLimits } from './limits.ts';
import { openListener, type SrtListener } from './listener.ts';
import { SrtReadiness } from './readiness.ts';
import type { SrtSocket } from './srt-constants.ts';
import type { SrtStatistics } from './statistics.ts';

/** How to serve. */
export interface SrtServerOptions {
  readonly host: string;
  /** UDP port, 0 for any free one. */
  readonly port: number;
  readonly gate: IngestGate;
  readonly log: Log;
  /** Least delay before delivery, milliseconds; the caller may ask for more. Lost packets must arrive again within. */
  readonly latencyMs: number;
  readonly limits?: Partial<SrtLimits>;
}

/** A running listener. */
export interface SrtServer {
  readonly port: number;
  /** The latest reading of each connection. */
  statistics(): readonly SrtStatistics[];
  /** Ends every feed with reason `closed`, frees the port and libsrt. */
  close(): Promise<void>;
}

/** How often statistics are read and time limits looked at, milliseconds. */
const TICK_MILLISECONDS = 1_000;

/** Starts the listener. Throws {@link SrtUnavailableError} without libsrt, {@link SrtPortInUseError}. */
export async function startSrtServer(options: SrtServerOptions): Promise<SrtServer> {
  const lib = LibSrt.start();
  const limits = { ...DEFAULT_SRT_LIMITS, ...options.limits };
  const now = (): number => performance.now();
  const handshakes = new Handshakes({
    gate: options.gate,
    log: options.log,
    now,
    isGone: (socket) => lib.isGone(socket),
    limitMs: limits.handshakeMs,
  });
  try {
    const listener = await openListener({
      lib,
      host: options.host,
      port: options.port,
      latencyMs: options.latencyMs,
      limits,
      decide: (handshake) => handshakes.decide(handshake),
    });
    const context = { lib, readiness: new SrtReadiness(lib), limits, log: options.log, now };
    return new RunningServer(listener, handshakes, context);
  } catch (error) {
    await lib.stop();
    throw error;
  }
}

class RunningServer implements SrtServer {
  readonly port: number;
  readonly #listener: SrtListener;
  readonly #handshakes: Handshakes;
  readonly #context: ConnectionContext;
  readonly #connections = new Map<SrtSocket, SrtConnection>();
  readonly #timer: NodeJS.Timeout;
  readonly #loop: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(listener: SrtListener, handshakes: Handshakes, context: ConnectionContext) {
    this.port = listener.port;
    this.#listener = listener;
    this.#handshakes = handshakes;
    this.#context = context;
    context.readiness.watch(listener.socket);
    this.#loop = this.#serve();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  statistics(): readonly SrtStatistics[] {
    return [...this.#connections.values()].flatMap((connection) =>
      connection.ended ? [] : (connection.statistics ?? []),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { lib, readiness } = this.#context;
    clearInterval(this.#timer);
    const connections = [...this.#connections.values()];
    for (const connection of connections) {
      connection.end({ reason: 'closed', detail: 'the origin stops' });
    }
    await Promise.all([this.#listener.close(), ...connections.map((connection) => connection.closed)]);
    this.#handshakes.clear();
    readiness.close();
    await this.#loop;
    await lib.stop();
  }

  async #serve(): Promise<void> {
    try {
      for await (const sockets of this.#context.readiness.ready()) {
        for (const socket of sockets) {
          this.#handle(socket);
        }
      }
    } catch (error) {
      this.#context.log.error({ err: error }, 'SRT ingest failed');
      for (const connection of this.#connections.values()) {
        connection.end({ reason: 'closed', detail: 'SRT ingest failed' });
      }
    }
  }

  #handle(socket: SrtSocket): void {
    if (socket === this.#listener.socket) {
      this.#acceptAll();
      return;
    }
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      this.#context.readiness.unwatch(socket);
      return;
    }
    connection.receive();
  }

  #acceptAll(): void {
    const { lib } = this.#context;
    let socket = lib.accept(this.#listener.socket);
    while (socket !== undefined) {
      this.#adopt(socket);
      socket = lib.accept(this.#listener.socket);
    }
  }

  #adopt(socket: SrtSocket): void {
    const { lib } = this.#context;
    const caller = this.#handshakes.take(socket);
    if (caller === undefined || this.#closing !== undefined) {
      caller?.admission.release();
      void lib.close(socket);
      return;
    }
    const connection = new SrtConnection({ socket, ...caller, context: this.#context });
    this.#connections.set(socket, connection);
    void connection.closed.finally(() => this.#connections.delete(socket));
    connection.start();
  }

  #tick(): void {
    this.#handshakes.sweep();
    for (const connection of this.#connections.values()) {
      connection.tick();
    }
  }
}
