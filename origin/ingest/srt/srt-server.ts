/** SRT ingest: one UDP port for all streams, each caller routed and admitted by its stream id. */

import type { StreamName } from '#shared/identifiers.ts';
import type { Log } from '../../log.ts';
import type { FeedEnd, IngestGate } from '../media-feed.ts';
import { call } from './caller.ts';
import { SrtConnection, type ConnectionContext, type SrtLink } from './connection.ts';
import { applyStreamSettings, explainDrop, explainWeakness, readEncryption } from './encryption.ts';
import { Handshakes, type AdmittedCaller } from './handshakes.ts';
import { LibSrt } from './libsrt.ts';
import { DEFAULT_SRT_LIMITS, type SrtLimits } from './limits.ts';
import { openListener, type SrtListener } from './listener.ts';
import type { PullAddress } from './pull-address.ts';
import { SrtPull, type PullGate, type SrtPullStatus } from './pull.ts';
import { SrtReadiness } from './readiness.ts';
import type { SrtStreamSettings } from './settings.ts';
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
  /** What a stream asks for, passphrase and latency; asked at each handshake. */
  readonly settingsOf?: (stream: StreamName) => SrtStreamSettings | undefined;
  readonly limits?: Partial<SrtLimits>;
}

/** A running listener. */
export interface SrtServer {
  readonly port: number;
  /** The latest reading of each connection. */
  statistics(): readonly SrtStatistics[];
  /** Calls the encoders of these streams, where they have one to call, and no others from now on. */
  pull(streams: ReadonlyMap<StreamName, SrtStreamSettings>, gate: PullGate): void;
  /** How each pull is doing. */
  pulls(): readonly SrtPullStatus[];
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
  const { settingsOf = () => undefined, gate, log, latencyMs } = options;
  const handshakes = new Handshakes({
    ...{ gate, log, now },
    prepare: (socket, stream) => applyStreamSettings(lib, socket, settingsOf(stream) ?? {}),
    isGone: (socket) => lib.isGone(socket),
    explainDrop: (stream) => explainDrop(settingsOf(stream)),
    limitMs: limits.handshakeMs,
  });
  try {
    const listener = await openListener({
      ...{ lib, latencyMs, limits },
      host: options.host,
      port: options.port,
      decide: (handshake) => handshakes.decide(handshake),
    });
    const context = { lib, readiness: new SrtReadiness(lib), limits, log, now };
    return new RunningServer({ listener, handshakes, context, settingsOf, latencyMs });
  } catch (error) {
    await lib.stop();
    throw error;
  }
}

/** What a server runs with. */
interface ServerParts {
  readonly listener: SrtListener;
  readonly handshakes: Handshakes;
  readonly context: ConnectionContext;
  readonly settingsOf: (stream: StreamName) => SrtStreamSettings | undefined;
  readonly latencyMs: number;
}

class RunningServer implements SrtServer {
  readonly port: number;
  readonly #parts: ServerParts;
  readonly #connections = new Map<SrtSocket, SrtConnection>();
  readonly #pulls = new Map<StreamName, { readonly pull: SrtPull; readonly settings: string }>();
  readonly #timer: NodeJS.Timeout;
  readonly #loop: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(parts: ServerParts) {
    this.port = parts.listener.port;
    this.#parts = parts;
    parts.context.readiness.watch(parts.listener.socket);
    this.#loop = this.#serve();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  statistics(): readonly SrtStatistics[] {
    return [...this.#connections.values()].flatMap((connection) =>
      connection.ended ? [] : (connection.statistics ?? []),
    );
  }

  pulls(): readonly SrtPullStatus[] {
    return Array.from(this.#pulls.values(), ({ pull }) => pull.status());
  }

  pull(streams: ReadonlyMap<StreamName, SrtStreamSettings>, gate: PullGate): void {
    for (const [stream, { pull, settings }] of this.#pulls) {
      if (settings !== JSON.stringify(streams.get(stream))) {
        this.#pulls.delete(stream);
        void pull.close();
      }
    }
    for (const [stream, settings] of streams) {
      const { pull: address } = settings;
      if (address !== undefined && this.#closing === undefined && !this.#pulls.has(stream)) {
        const pull = this.#beginPull({ stream, settings, address, gate });
        this.#pulls.set(stream, { pull, settings: JSON.stringify(settings) });
      }
    }
  }

  #beginPull(asked: {
    readonly stream: StreamName;
    readonly settings: SrtStreamSettings;
    readonly address: PullAddress;
    readonly gate: PullGate;
  }): SrtPull {
    const { context, latencyMs } = this.#parts;
    const { lib, limits, log, now } = context;
    const { stream, settings, address, gate } = asked;
    return new SrtPull({
      ...{ stream, address, gate, log, now },
      call: (signal) => call({ lib, address, settings, latencyMs, limits, signal }),
      serve: (socket, admitted, signal) => this.#servePull(socket, admitted, signal),
      closeSocket: (socket) => lib.close(socket),
      random: Math.random,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { listener, handshakes, context } = this.#parts;
    clearInterval(this.#timer);
    const connections = [...this.#connections.values()];
    for (const connection of connections) {
      connection.end({ reason: 'closed', detail: 'the origin stops' });
    }
    const pulls = Array.from(this.#pulls.values(), ({ pull }) => pull.close());
    await Promise.all([listener.close(), ...pulls, ...connections.map((connection) => connection.closed)]);
    handshakes.clear();
    context.readiness.close();
    await this.#loop;
    await context.lib.stop();
  }

  async #serve(): Promise<void> {
    const { readiness, log } = this.#parts.context;
    try {
      for await (const sockets of readiness.ready()) {
        for (const socket of sockets) {
          this.#handle(socket);
        }
      }
    } catch (error) {
      log.error({ err: error }, 'SRT ingest failed');
      for (const connection of this.#connections.values()) {
        connection.end({ reason: 'closed', detail: 'SRT ingest failed' });
      }
    }
  }

  #handle(socket: SrtSocket): void {
    const { listener, context } = this.#parts;
    if (socket === listener.socket) {
      this.#acceptAll();
      return;
    }
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      context.readiness.unwatch(socket);
      return;
    }
    connection.receive();
  }

  #acceptAll(): void {
    const { listener, context } = this.#parts;
    let socket = context.lib.accept(listener.socket);
    while (socket !== undefined) {
      this.#acceptCaller(socket);
      socket = context.lib.accept(listener.socket);
    }
  }

  #acceptCaller(socket: SrtSocket): void {
    const caller = this.#parts.handshakes.take(socket);
    if (caller === undefined || this.#adopt(socket, caller, 'listener') === undefined) {
      caller?.admission.release();
      void this.#parts.context.lib.close(socket);
    }
  }

  async #servePull(socket: SrtSocket, admitted: AdmittedCaller, signal: AbortSignal): Promise<FeedEnd> {
    const connection = signal.aborted ? undefined : this.#adopt(socket, admitted, 'caller');
    if (connection === undefined) {
      admitted.admission.release();
      await this.#parts.context.lib.close(socket);
      return { reason: 'closed', detail: 'the connection was given up at its start' };
    }
    const end = (): void => connection.end({ reason: 'closed', detail: 'the stream is no longer fetched' });
    signal.addEventListener('abort', end);
    return await connection.closed.finally(() => signal.removeEventListener('abort', end));
  }

  /** Makes a connection of a socket whose handshake is done; `undefined` where it may not be one. */
  #adopt(socket: SrtSocket, caller: AdmittedCaller, mode: SrtLink['mode']): SrtConnection | undefined {
    const { context, settingsOf } = this.#parts;
    const { stream } = caller.admission;
    if (this.#closing !== undefined || context.lib.isGone(socket)) {
      return undefined;
    }
    const encryption = readEncryption(context.lib, socket);
    const weakness = explainWeakness(encryption, settingsOf(stream));
    if (weakness !== undefined) {
      const { remoteAddress } = caller;
      context.log.warn({ stream, remoteAddress, detail: weakness }, 'SRT connection closed');
      return undefined;
    }
    const connection = new SrtConnection({ socket, ...caller, link: { mode, encryption }, context });
    this.#connections.set(socket, connection);
    void connection.closed.finally(() => this.#connections.delete(socket));
    connection.start();
    return connection;
  }

  #tick(): void {
    this.#parts.handshakes.sweep();
    for (const connection of this.#connections.values()) {
      connection.tick();
    }
  }
}
