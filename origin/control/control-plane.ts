/** Everything about control in one place: what was set, what is watched, who is told. */

import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import type { SrtStatistics } from '../ingest/srt/statistics.ts';
import type { OwnKeys } from '../ingest/access/publish-keys.ts';
import type { SrtStreamSettings } from '../ingest/srt/settings.ts';
import type { LiveSettings } from '../live-settings.ts';
import type { Log } from '../log.ts';
import type { LogLevels } from '../log-levels.ts';
import type { HttpSend } from '../publish/http-client.ts';
import type { ObjectWriter } from '../publish/object-writer.ts';
import type { StreamTargets } from '../restream/restreams.ts';
import { settingsForStream, streamSchema, type StreamSettings } from '../settings.ts';
import { StreamTelemetry } from '../stream/stream-telemetry.ts';
import { ladderSchema, type Ladder } from '../transcode/ladder.ts';
import { startControlServer, type ControlServer } from './control-server.ts';
import { DeclaredStreams } from './declared-streams.ts';
import { EventLog } from './event-log.ts';
import { Latencies } from './latencies.ts';
import { addMetrics } from './metrics.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';
import { RecordingLedger } from './watch/recordings.ts';
import { StreamWatch } from './watch/stream-watch.ts';
import { openWebhookSender, type WebhookSender } from './webhooks/webhook-sender.ts';

/** What control is opened with. */
export interface ControlPlaneOptions {
  readonly settings: LiveSettings<Ladder>;
  readonly levels: LogLevels;
  readonly log: Log;
  readonly send: HttpSend;
  readonly checkLadder: (ladder: Ladder) => Promise<readonly string[]>;
}

/** What the pipeline shows once it runs. */
export interface ControlledOrigin {
  readonly provider: StreamProvider;
  readonly srt: () => readonly SrtStatistics[];
}

const declaredSettings = streamSchema(ladderSchema).omit({ publishKeys: true });
type DeclaredSettings = z.infer<typeof declaredSettings>;

/** Opens what the pipeline needs of control before it starts. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dataDir, webhooks } = options.settings.current;
  const folder = join(dataDir, 'control');
  const declared = await DeclaredStreams.open(join(folder, 'streams.json'), Date.now);
  const sender = await openWebhookSender({
    ...{ folder: join(folder, 'webhooks'), receivers: webhooks, send: options.send },
    log: options.log.child({ part: 'webhooks' }),
  });
  return new ControlPlane(options, { folder, declared, sender });
}

/** Control of one origin; made by {@link openControlPlane}. */
export class ControlPlane {
  readonly latencies: Latencies;
  readonly #options: ControlPlaneOptions;
  readonly #folder: string;
  readonly #declared: DeclaredStreams;
  readonly #sender: WebhookSender;
  readonly #registry = new Registry();
  readonly #events = new EventLog(Date.now);
  readonly #watch: StreamWatch;
  /** What was declared, as read: secrets in files are read when they are declared, and at the origin's start. */
  readonly #read = new WeakMap<object, DeclaredSettings>();
  #origin: ControlledOrigin | undefined;
  #ledger: RecordingLedger | undefined;
  #server: ControlServer | undefined;

  constructor(
    options: ControlPlaneOptions,
    opened: { readonly folder: string; readonly declared: DeclaredStreams; readonly sender: WebhookSender },
  ) {
    this.#options = options;
    this.#folder = opened.folder;
    this.#declared = opened.declared;
    this.#sender = opened.sender;
    this.latencies = new Latencies(this.#registry, () => performance.now());
    this.#watch = new StreamWatch({
      streams: () => this.#origin?.provider.listStreams() ?? [],
      srt: () => this.#origin?.srt() ?? [],
      storageAway: () => this.#origin?.provider.objectWriter().away ?? false,
      limits: () => options.settings.current.degraded,
      events: this.#events,
      now: Date.now,
    });
    this.#events.subscribe((event) => void this.#sender.publish(event));
  }

  /** Keys of streams' own: the file's where it has some, else those made through the API. */
  get keys(): OwnKeys {
    return {
      get: (stream) =>
        this.#options.settings.current.publish.keys.get(stream) ?? this.#declared.keyHashes(stream),
    };
  }

  /** Until when a stream is stopped. */
  stoppedUntil(stream: StreamName): number | null | undefined {
    return this.#declared.stoppedUntil(stream);
  }

  /** The settings of a stream: the file's where it has the stream, else those declared through the API. */
  settingsFor(stream: StreamName): StreamSettings<Ladder> {
    const { current } = this.#options.settings;
    return settingsForStream(current, stream, current.streams.get(stream) ?? this.#declaredOf(stream));
  }

  /** What a stream asks of SRT. */
  srtOf(stream: StreamName): SrtStreamSettings | undefined {
    const { current } = this.#options.settings;
    return current.streams.has(stream) ? current.srtStreams.get(stream) : this.#declaredOf(stream)?.srt;
  }

  /** What each stream asks of SRT, of those that ask for something. */
  get srtStreams(): ReadonlyMap<StreamName, SrtStreamSettings> {
    return this.#ofStreams(this.#options.settings.current.srtStreams, ({ srt }) => srt);
  }

  /** Where streams are pushed on to. */
  get restreams(): StreamTargets {
    return this.#ofStreams(this.#options.settings.current.restreams, ({ restream }) => restream);
  }

  /** Ladders declared through the API. */
  get declaredLadders(): readonly Ladder[] {
    return [...this.#declared.list().keys()].flatMap((stream) => this.#declaredOf(stream)?.ladder ?? []);
  }

  /** Calls `listener` after each declaration through the API. */
  onDeclared(listener: () => void): void {
    this.#declared.onChange(listener);
  }

  /** Takes over new settings. */
  settingsChanged(): void {
    this.#sender.setReceivers(this.#options.settings.current.webhooks);
  }

  /** The same writer, with an account of what is on its way. */
  accountFor(objects: Pick<ObjectWriter, 'write'>): Pick<ObjectWriter, 'write'> {
    return {
      write: (object) => {
        this.#ledger?.written(object.key, object.bytes.length);
        objects.write(object);
      },
    };
  }

  /** An object is in storage, or lost. */
  objectSettled(key: string, how: 'stored' | 'lost'): void {
    this.#ledger?.settled(key, how);
  }

  /** Begins the account of objects: before any stream has written one. */
  async openLedger(objects: Pick<ObjectWriter, 'stats'>): Promise<void> {
    this.#ledger = await RecordingLedger.open({
      path: join(this.#folder, 'recordings.json'),
      waitingObjects: () => objects.stats.pendingObjects + objects.stats.spooledObjects,
      onReady: (recording) => {
        const { stream, ...data } = recording;
        this.#events.publish('recording.ready', stream, data);
      },
      log: this.#options.log,
    });
  }

  /** A stream has its first publisher. */
  streamBegins(stream: StreamName): StreamTelemetry {
    const telemetry = new StreamTelemetry(Date.now, (latenessMs) =>
      this.latencies.partAnnounced(stream, latenessMs),
    );
    this.#watch.add(stream, telemetry);
    return telemetry;
  }

  /** A stream is over for its viewers, or (`why`) is let go by this origin. */
  streamOver(status: StreamStatus, why?: string): void {
    const { stream, since, renditions } = status;
    const seconds = this.#watch.get(stream)?.measure.mediaSeconds ?? 0;
    this.#watch.over(status, why);
    this.latencies.forget(stream);
    this.#ledger?.ended(stream, {
      ...{ startedAt: new Date(since).toISOString(), endedAt: new Date().toISOString(), seconds },
      renditions: renditions.map((rendition) => ({ ...rendition })),
    });
  }

  /** Opens the control API. */
  async listen(origin: ControlledOrigin): Promise<{ readonly port: number }> {
    const { settings, levels, log, checkLadder } = this.#options;
    const { host, ports, controlToken: token, openMetrics } = settings.current;
    this.#origin = origin;
    const sources = { streams: origin.provider, watch: this.#watch, webhooks: this.#sender, now: Date.now };
    addMetrics(this.#registry, { ...sources, maxStreams: () => settings.current.maxStreams });
    this.#watch.start();
    this.#server = await startControlServer({
      ...{ host, port: ports.control, token, openMetrics, metrics: this.#registry },
      log: log.child({ part: 'control' }),
      parts: {
        ...sources,
        ...{ declared: this.#declared, events: this.#events, levels, settings, checkLadder },
        latencies: this.latencies,
      },
    });
    return this.#server;
  }

  /** Reads the configuration file again, and says in the log what became of it. */
  async reload(): Promise<void> {
    const { settings, log } = this.#options;
    const reloaded = await settings.reload();
    if (!reloaded.ok) {
      log.error(`the configuration stays as it was: ${reloaded.failure.lines.join('; ')}`);
    }
  }

  /** Tells everybody what a reload did. */
  reloaded(done: { readonly applied: readonly string[]; readonly needRestart: readonly string[] }): void {
    this.#options.log.info(done, 'configuration reloaded');
    if (done.needRestart.length > 0) {
      this.#options.log.warn(`in force after a restart alone: ${done.needRestart.join(', ')}`);
    }
    this.settingsChanged();
    this.#events.publish('configuration.reloaded', undefined, { ...done });
  }

  /** Ends the API and all tries of webhooks; what waits is kept. */
  async close(): Promise<void> {
    this.#watch.stop();
    await this.#server?.close();
    await this.#sender.close();
  }

  /** The file's, and those declared of streams that the file does not have. */
  #ofStreams<V>(
    ofFile: ReadonlyMap<StreamName, V>,
    pick: (declared: DeclaredSettings) => V | undefined,
  ): ReadonlyMap<StreamName, V> {
    const all = new Map(ofFile);
    const { streams } = this.#options.settings.current;
    for (const stream of this.#declared.list().keys()) {
      const read = streams.has(stream) ? undefined : this.#declaredOf(stream);
      const value = read === undefined ? undefined : pick(read);
      if (value !== undefined) {
        all.set(stream, value);
      }
    }
    return all;
  }

  #declaredOf(stream: StreamName): DeclaredSettings | undefined {
    const { settings } = this.#declared.get(stream);
    if (settings === undefined) {
      return undefined;
    }
    const known = this.#read.get(settings);
    if (known !== undefined) {
      return known;
    }
    const read = declaredSettings.safeParse(settings);
    if (!read.success) {
      this.#options.log.error(
        { stream },
        'what was declared of the stream is not understood: declare it anew',
      );
    }
    // What cannot be read is told once, not for each publisher.
    const taken = read.data ?? {};
    this.#read.set(settings, taken);
    return taken;
  }
}
