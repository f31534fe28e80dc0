/** The origin: reads its environment and wires ingest, transcoding, packaging, publishing and control. */

import { join } from 'node:path';
import { openControlPlane, type ControlPlane } from './control/control-plane.ts';
import { readiness } from './control/readiness.ts';
import type { StreamProvider, StreamStatus } from './control/stream-status.ts';
import type { PublishDecider } from './ingest/access/publish-decision.ts';
import { PublishKeys } from './ingest/access/publish-keys.ts';
import { createTokenDecider } from './ingest/access/publish-token.ts';
import { WebhookDecider, type Post } from './ingest/access/publish-webhook.ts';
import { startIngestServers } from './ingest-servers.ts';
import type { SrtServer } from './ingest/srt/srt-server.ts';
import { StreamGate } from './ingest/stream-gate.ts';
import { LiveSettings } from './live-settings.ts';
import { LiveStreams } from './live-streams.ts';
import { createLog, type Log } from './log.ts';
import { LogLevels } from './log-levels.ts';
import { createHttpClient, type HttpSend } from './publish/http-client.ts';
import { openObjectStore } from './publish/object-store.ts';
import { openObjectWriter } from './publish/object-writer.ts';
import { startRetention } from './publish/retention/start.ts';
import { Restreams } from './restream/restreams.ts';
import { ensureOriginId } from './redundancy/origin-id.ts';
import { loadSettings, type Settings, type SettingsSources } from './settings.ts';
import { confineFfmpeg } from './transcode/confinement/confinement.ts';
import { setUpEncoders } from './transcode/encoder-setup.ts';
import type { EncoderTable } from './transcode/encoder-table.ts';
import { KnownEncoders } from './transcode/known-encoders.ts';
import { DEFAULT_LADDER, ladderSchema, type Ladder } from './transcode/ladder.ts';

/** Connections to the edge and to object storage, each. */
const MAX_CONNECTIONS = 32;
/** Time for uploads to finish when the origin stops, milliseconds; the rest goes to disk for the next start. */
const CLOSE_UPLOADS_MS = 3_000;

/** There is no ffmpeg that will do; the message names the remedy. */
class UnusableFfmpegError extends Error {
  override readonly name = 'UnusableFfmpegError';
  readonly code = 'unusable-ffmpeg';
}

const sources: SettingsSources<Ladder> = { env: process.env, ladderSchema };
const settings = loadSettings(sources);
if (!settings.ok) {
  process.stderr.write(`${settings.failure.lines.join('\n')}\n`);
  process.exit(1);
}
const levels = new LogLevels(settings.value.logLevel);
const log = createLog({
  ...{ level: settings.value.logLevel, pretty: process.stdout.isTTY, name: 'origin' },
  onChild: (child) => levels.add(child),
});
levels.add(log);
try {
  await run(settings.value, log);
} catch (error) {
  // What has a code says all in its message; anything else is a bug, and its stack tells where.
  const expected = error instanceof Error && 'code' in error;
  log.fatal(expected ? {} : { err: error }, error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function run(config: Settings<Ladder>, rootLog: Log): Promise<void> {
  const { ffmpeg: ffmpegPath, dataDir } = config;
  const encoders = new KnownEncoders(ffmpegPath, rootLog, await requireEncoders(config));
  await confineFfmpeg(ffmpegPath, config.confinement, rootLog);
  const http = createHttpClient({ maxConnections: MAX_CONNECTIONS });
  const { live, control } = await openControl(config, encoders, { send: http.send, log: rootLog });
  const store = control.latencies.measureStore(openObjectStore(config.objectStore, http.send));
  const objects = await openObjectWriter({
    store,
    spoolFolder: join(dataDir, 'spool'),
    log: rootLog.child({ part: 'objects' }),
    limits: { spoolBytes: config.spoolBytes },
    onSettled: (key, how) => control.objectSettled(key, how),
  });
  await control.openLedger(objects);
  const reachable = await store.check();
  if (!reachable.ok) {
    rootLog.error(`object storage: ${reachable.failure.detail}; objects are kept on disk until it is there`);
  }
  const { edgeUrl, serviceToken } = config;
  const restreams = new Restreams({
    ...{ ffmpegPath, streams: control.restreams, folder: dataDir },
    log: rootLog.child({ part: 'restream' }),
  });
  const retention = startRetention({
    ...config,
    settings: config.retention,
    recordingOf: (stream) => control.settingsFor(stream).recording,
    send: http.send,
    log: rootLog.child({ part: 'retention' }),
  });
  const streams = new LiveStreams({
    ...{ ffmpegPath, settings: live, control, encoders, restreams, retention, log: rootLog },
    origin: await ensureOriginId(dataDir),
    destinations: {
      ...{ edgeUrl, serviceToken, send: control.latencies.measureHub(http.send) },
      objects: control.accountFor(objects),
    },
  });
  const ingestLog = rootLog.child({ part: 'ingest' });
  const makeDeciders = (of: Settings<Ladder>) => publishDeciders(of, http.send, ingestLog);
  let deciders = await makeDeciders(config);
  const gate = new StreamGate({
    keys: new PublishKeys(config.publishSecret, control.keys),
    get deciders() {
      return deciders;
    },
    get maxStreams() {
      return live.current.maxStreams;
    },
    stoppedUntil: (stream) => control.stoppedUntil(stream),
    onStart: (feed, role) => streams.attach(feed, role),
    log: ingestLog,
  });
  const ingest = await startIngestServers(config, { gate, control, log: rootLog });
  const { srt } = ingest;
  let stopping = false;
  const provider: StreamProvider = {
    listStreams: () => describe(streams.list(), { srt, restreams }),
    listPulls: () => srt?.pulls() ?? [],
    stopStream: (stream) => streams.end(stream, 'ended through the control API'),
    objectWriter: () => objects.stats,
    retention: () => retention.stats(),
    readiness: () =>
      readiness({ config, stopping, hasSrt: srt !== undefined, objects, streams: streams.list() }),
  };
  const takeStreams = (): void => {
    srt?.pull(control.srtStreams, gate);
    restreams.update(control.restreams);
  };
  takeStreams();
  control.onDeclared(takeStreams);
  live.onChange(async (changed) => {
    deciders = await makeDeciders(changed);
    takeStreams();
  });
  const { port } = await control.listen({ provider, srt: () => srt?.statistics() ?? [] });
  process.on('SIGHUP', () => void control.reload());
  rootLog.info({ ...ingest.ports, control: port }, 'the origin is ready');
  await stopSignal();
  stopping = true;
  rootLog.info('stopping: what is under way is published first');
  await streams.close();
  await Promise.all([restreams.close(), ingest.close(), retention.close()]);
  await objects.close(CLOSE_UPLOADS_MS);
  await control.close();
  http.close();
}

/** The status of streams with what their connections and their targets have to say. */
function describe(
  streams: readonly StreamStatus[],
  parts: { readonly srt: SrtServer | undefined; readonly restreams: Restreams },
): readonly StreamStatus[] {
  const links = parts.srt?.statistics() ?? [];
  return streams.map((status) => {
    const { stream, remoteAddress } = status;
    const srt = links.find((link) => link.stream === stream && link.remoteAddress === remoteAddress);
    return { ...status, srt, restream: parts.restreams.status(stream) };
  });
}

/** Settings that can be read again, and the control of streams. */
async function openControl(
  config: Settings<Ladder>,
  encoders: KnownEncoders,
  { send, log: rootLog }: { readonly send: HttpSend; readonly log: Log },
): Promise<{ readonly live: LiveSettings<Ladder>; readonly control: ControlPlane }> {
  const live = new LiveSettings({
    ...{ sources, started: config },
    check: (read) => encoders.check(laddersOf(read)),
  });
  const control = await openControlPlane({
    ...{ settings: live, levels, log: rootLog, send },
    checkLadder: (ladder) => encoders.learn([ladder]),
  });
  live.onChange((_changed, reloaded) => {
    encoders.takeOver();
    control.reloaded(reloaded);
  });
  const { declaredLadders } = control;
  const lines = declaredLadders.length === 0 ? [] : await encoders.learn(declaredLadders);
  for (const line of lines) {
    rootLog.error(`a stream declared through the control API cannot be encoded: ${line}`);
  }
  return { live, control };
}

/** Who else decides on publishers, in the order in which they are asked. */
async function publishDeciders(
  { publish }: Settings<Ladder>,
  send: HttpSend,
  ingestLog: Log,
): Promise<readonly PublishDecider[]> {
  const { tokenKeys, webhook } = publish;
  const post: Post = (request) => send({ method: 'POST', ...request });
  const parts = { post, log: ingestLog, now: Date.now };
  return [
    ...(tokenKeys.length === 0 ? [] : [await createTokenDecider(tokenKeys, Date.now)]),
    ...(webhook === undefined ? [] : [new WebhookDecider(webhook, parts)]),
  ];
}

async function requireEncoders(config: Settings<Ladder>): Promise<EncoderTable> {
  const encoders = await setUpEncoders(config.ffmpeg, laddersOf(config), log);
  if (!encoders.ok) {
    throw new UnusableFfmpegError(encoders.failure.detail);
  }
  return encoders.value;
}

function laddersOf(config: Settings<Ladder>): readonly Ladder[] {
  return [config.defaults, ...config.streams.values()].map((one) => one.ladder ?? DEFAULT_LADDER);
}

/** Resolves when somebody asks the process to stop, or when the one that started it is gone. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'disconnect']) {
      process.once(signal, () => resolve());
    }
  });
}
