/** An SRT listener of ours in this process, with ffmpeg around it: as encoder that calls, and as one that listens. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { expect } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { Log } from '../../origin/log.ts';
import type {
  Admission,
  FeedEnd,
  FeedEvent,
  IngestGate,
  MediaFeed,
  PublishRefusal,
  PublishRequest,
} from '../../origin/ingest/media-feed.ts';
import type { SrtStreamSettings } from '../../origin/ingest/srt/settings.ts';
import type { PullGate } from '../../origin/ingest/srt/pull.ts';
import { startSrtServer, type SrtServer, type SrtServerOptions } from '../../origin/ingest/srt/srt-server.ts';

const run = promisify(execFile);

/** The key that the scene's gate takes. */
export const KEY = 'k3y';
/** Where everything binds. */
export const HOST = '127.0.0.1';
/** Generous wait for conditions. */
export const PATIENCE = { timeout: 20_000, interval: 50 };

/** What the pipeline saw of one feed. */
export interface Received {
  readonly feed: MediaFeed;
  readonly events: FeedEvent[];
  end: FeedEnd | undefined;
}

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

type NamedSettings = Readonly<Record<string, SrtStreamSettings>>;

/** Answers a stream's settings from those given under names. */
export function settingsOf(settings: NamedSettings): (stream: StreamName) => SrtStreamSettings | undefined {
  return (stream) => settings[stream];
}

/** A folder with a source, and all that runs in one test. */
export class SrtScene {
  readonly received = new Map<string, Received>();
  readonly live = new Set<string>();
  readonly requests: PublishRequest[] = [];
  readonly lines: LogLine[] = [];
  /** What is done with a feed. */
  consume: (feed: MediaFeed) => void = (feed) => void this.#collect(feed);
  readonly #folder: string;
  readonly #encoders = new Set<ChildProcess>();
  readonly #receivers = new Set<ChildProcess>();
  #server: SrtServer | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, with two seconds of picture and sound in it. */
  static async open(): Promise<SrtScene> {
    const scene = new SrtScene(await mkdtemp(join(tmpdir(), 'srt-')));
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25'];
    const sound = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000'];
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac'];
    const output = ['-t', '2', ...codecs, '-f', 'mpegts', scene.source];
    await run('ffmpeg', ['-loglevel', 'error', ...picture, ...sound, ...output]);
    return scene;
  }

  get source(): string {
    return join(this.#folder, 'source.m2ts');
  }

  get server(): SrtServer {
    if (this.#server === undefined) {
      throw new Error('the scene has no listener: start one first');
    }
    return this.#server;
  }

  /** A path in the scene's folder. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  async start(options: Partial<SrtServerOptions> = {}): Promise<SrtServer> {
    const started = await this.startOther(options);
    this.#server = started;
    return started;
  }

  /** Has the listener call the encoders of these streams. */
  pull(settings: NamedSettings): void {
    const streams = Object.entries(settings).flatMap(([text, own]) => {
      const name = parseStreamName(text);
      return name.ok ? [[name.value, own] as const] : [];
    });
    this.server.pull(new Map(streams), this.gate);
  }

  /** Starts a listener that the scene does not look after. */
  startOther(options: Partial<SrtServerOptions> = {}): Promise<SrtServer> {
    const defaults = { host: HOST, port: 0, gate: this.gate, log: this.#log(), latencyMs: 120 };
    return startSrtServer({ ...defaults, ...options });
  }

  /** Ends what runs and forgets what was seen. */
  async reset(): Promise<void> {
    await Promise.all([...this.#encoders, ...this.#receivers].map((one) => this.stop(one)));
    await this.#server?.close();
    this.#server = undefined;
    this.consume = (feed) => void this.#collect(feed);
    this.received.clear();
    this.live.clear();
    this.requests.length = 0;
    this.lines.length = 0;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Takes everybody with the key, one at a time for each name, and whoever we fetch. */
  readonly gate: IngestGate & PullGate = {
    admit: (request) => {
      this.requests.push(request);
      const name = parseStreamName(request.stream);
      if (!name.ok) {
        return fail({ reason: 'invalid-name', detail: name.failure.expected });
      }
      if (request.key !== KEY) {
        return fail({ reason: request.key === undefined ? 'missing-key' : 'wrong-key', detail: 'wrong' });
      }
      return this.#enter(name.value);
    },
    admitPull: ({ stream }) => this.#enter(stream),
  };

  /** Calls the listener with a stream id, to which options of ffmpeg's may be appended with `&`. */
  encode(streamId: string, before: readonly string[] = [], input?: readonly string[]): ChildProcess {
    // Without lingering ffmpeg throws away what it has not sent yet when it stops.
    return this.send(`srt://${HOST}:${this.server.port}?linger=2&streamid=${streamId}`, before, input);
  }

  /** Sends the source, or another input, to an address at its own pace. */
  send(url: string, before: readonly string[] = [], input?: readonly string[]): ChildProcess {
    const media = input ?? ['-i', this.source, '-c', 'copy', '-f', 'mpegts'];
    const encoder = spawn('ffmpeg', ['-loglevel', 'quiet', '-re', ...before, ...media, url], {
      stdio: 'ignore',
    });
    this.#encoders.add(encoder);
    encoder.once('exit', () => this.#encoders.delete(encoder));
    return encoder;
  }

  /** Sends the source once; answers ffmpeg's exit code. */
  async publish(streamId: string): Promise<number | null> {
    const encoder = this.encode(streamId);
    await once(encoder, 'exit');
    return encoder.exitCode;
  }

  async stop(encoder: ChildProcess): Promise<void> {
    if (encoder.exitCode === null && encoder.signalCode === null) {
      const exited = once(encoder, 'exit');
      encoder.kill('SIGKILL');
      await exited;
    }
  }

  /** Frames in what a stream's feed carried, and what ffprobe had to say against it. */
  async decode(name: string): Promise<{ errors: string; frames: number }> {
    const file = this.file(`${name}.m2ts`);
    const events = this.received.get(name)?.events ?? [];
    const bytes = events.flatMap((event) => (event.kind === 'media' ? [event.bytes] : []));
    await writeFile(file, Buffer.concat(bytes));
    expect((await readFile(file)).length).toBeGreaterThan(0);
    return this.countFrames(file);
  }

  /** Frames in a file, and what ffprobe had to say against it. */
  async countFrames(file: string): Promise<{ errors: string; frames: number }> {
    const report = ['-of', 'default=noprint_wrappers=1:nokey=1'];
    const video = ['-select_streams', 'v', '-count_frames', '-show_entries', 'stream=nb_read_frames'];
    const { stdout, stderr } = await run('ffprobe', ['-v', 'error', ...video, ...report, file]);
    return { errors: stderr, frames: Number(stdout.trim().split('\n')[0]) };
  }

  /** Those who receive right now. */
  get receivers(): readonly ChildProcess[] {
    return [...this.#receivers];
  }

  /** Records what arrives at an input of ffmpeg's that listens. */
  receive(file: string, input: readonly string[]): ChildProcess {
    const output = ['-c', 'copy', '-y', this.file(file)];
    const receiver = spawn('ffmpeg', ['-loglevel', 'quiet', ...input, ...output], { stdio: 'ignore' });
    this.#receivers.add(receiver);
    receiver.once('exit', () => this.#receivers.delete(receiver));
    return receiver;
  }

  #enter(stream: StreamName): Result<Admission, PublishRefusal> {
    if (this.live.has(stream)) {
      return fail({ reason: 'already-live', detail: 'live' });
    }
    this.live.add(stream);
    return ok({
      stream,
      start: (feed) => this.consume(feed),
      release: () => void this.live.delete(stream),
    });
  }

  #log(): Log {
    const write = (line: string): void => void this.lines.push(JSON.parse(line));
    return pino({ level: 'info' }, { write });
  }

  async #collect(feed: MediaFeed): Promise<void> {
    const record: Received = { feed, events: [], end: undefined };
    this.received.set(feed.stream, record);
    for await (const event of feed.events) {
      record.events.push(event);
      record.end = event.kind === 'end' ? event.end : undefined;
    }
  }
}

/** A UDP port that nobody has. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A TCP port that nobody has. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
