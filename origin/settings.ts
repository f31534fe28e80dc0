/** What an origin is told by its environment and its configuration file, checked once, all mistakes at a time. */

import { z } from 'zod';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { milliseconds, seconds, type Milliseconds, type Seconds } from '#shared/media-time.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import { degradedSchema, type DegradedLimits } from './control/watch/degradation.ts';
import { readReceivers, webhooksSchema, type WebhookReceiver } from './control/webhooks/settings.ts';
import { DEFAULT_DVR, dvrSchema } from './dvr.ts';
import { redundancySchema, type RedundancySettings } from './redundancy/settings.ts';
import { ingestLimitsSchema, type IngestLimits } from './ingest/protection/settings.ts';
import { rtmpsSettings, type RtmpsSettings } from './ingest/rtmp/settings.ts';
import { srtSchema, type SrtStreamSettings } from './ingest/srt/settings.ts';
import { restreamSchema, type RestreamTargetSettings } from './restream/settings.ts';
import { PROCESS_SECRETS, type SecretSources } from './secret-text.ts';
import {
  DEFAULT_RECORDING,
  recordingSchema,
  retentionSchema,
  type RecordingSettings,
  type RetentionSettings,
} from './publish/retention/settings.ts';
import type { ObjectStoreSettings } from './publish/s3-request.ts';
import {
  publishKeysSchema,
  publishSchema,
  webhookSettings,
  type PublishSettings,
} from './settings-publish.ts';
import { confinementSettings, type ConfinementSettings } from './transcode/confinement/settings.ts';
import {
  readEnvironment,
  type Environment,
  type LogLevel,
  type SettingsFailure,
} from './settings-environment.ts';

/** How a stream is cut and transcoded. `L` is the ladder's type. */
export interface StreamSettings<L> {
  /** PART-TARGET. */
  readonly partTarget: Seconds;
  readonly segmentDuration: Seconds;
  /** How far back a viewer may go: the playlist names segments of at least this much media. */
  readonly dvr: Seconds;
  /** How long its segments stay in object storage. */
  readonly recording: RecordingSettings;
  /** `undefined`: the default ladder for the source. */
  readonly ladder: L | undefined;
}

/** What one stream has of its own. */
export type StreamOverrides<L> = {
  readonly [K in keyof StreamSettings<L>]?: StreamSettings<L>[K] | undefined;
};

/** Settings of an origin; it holds secrets, so it is never logged. */
export interface Settings<L> {
  readonly host: string;
  readonly ports: { readonly rtmp: number; readonly srt: number; readonly control: number };
  /** `undefined`: no RTMPS. */
  readonly rtmps: RtmpsSettings | undefined;
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly controlToken: string;
  readonly publishSecret: string;
  readonly publish: PublishSettings;
  readonly objectStore: ObjectStoreSettings;
  readonly dataDir: string;
  /** Disk for objects while object storage is away, bytes. */
  readonly spoolBytes: number;
  readonly logLevel: LogLevel;
  readonly ffmpeg: string;
  readonly confinement: ConfinementSettings;
  readonly srtLatency: Milliseconds;
  /** True when `GET /metrics` asks for no token. */
  readonly openMetrics: boolean;
  readonly ingestLimits: IngestLimits;
  /** Streams that may be live at once. */
  readonly maxStreams: number;
  readonly redundancy: RedundancySettings;
  readonly retention: RetentionSettings;
  /** What single streams ask of SRT. */
  readonly srtStreams: ReadonlyMap<StreamName, SrtStreamSettings>;
  /** Where single streams are pushed on to. */
  readonly restreams: ReadonlyMap<StreamName, readonly RestreamTargetSettings[]>;
  /** Who is told of events. */
  readonly webhooks: readonly WebhookReceiver[];
  /** When a stream counts as degraded. */
  readonly degraded: DegradedLimits;
  readonly defaults: StreamSettings<L>;
  readonly streams: ReadonlyMap<StreamName, StreamOverrides<L>>;
  /** The configuration file as it was read, to tell what a later one changes. */
  readonly file: Readonly<Record<string, unknown>>;
}

/** What {@link loadSettings} reads. */
export interface SettingsSources<L> {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Schema of a ladder in the configuration file. */
  readonly ladderSchema: z.ZodType<L>;
  /** Reads the configuration file; `node:fs` unless a test says otherwise. */
  readonly readFile?: (path: string) => string;
}

const BYTES_PER_MEBIBYTE = 1024 * 1024;
/** Streams at once unless the file says otherwise: more ffmpeg processes than one machine can feed. */
const DEFAULT_MAX_STREAMS = 100;

const partTarget = z.number().min(0.2).max(1).transform(seconds);
const segmentDuration = z.number().min(1).max(10).transform(seconds);
const MEANINGS = {
  partTarget:
    'PART-TARGET, seconds; where whole frames cannot fill 85 % of it, what they can fill is announced',
  segmentDuration: 'seconds of a segment',
  dvr: 'how far back viewers may go: seconds, or "90s", "30m", "4h"; up to 12 hours, six segments at least',
  recording: 'how long segments stay in object storage',
  ladder:
    'renditions; unless set 1080p at 5 Mbit/s, 720p at 2.8, 480p at 1.4, 360p at 0.8, AAC at 128 kbit/s',
};

/** Settings that one stream has of its own, as the file has them. */
export function streamSchema<L>(ladder: z.ZodType<L>, secrets: SecretSources = PROCESS_SECRETS) {
  return z.strictObject({
    partTarget: partTarget.optional().describe(MEANINGS.partTarget),
    segmentDuration: segmentDuration.optional().describe(MEANINGS.segmentDuration),
    dvr: dvrSchema.optional().describe(MEANINGS.dvr),
    recording: recordingSchema.optional().describe(MEANINGS.recording),
    ladder: ladder.optional().describe(MEANINGS.ladder),
    publishKeys: publishKeysSchema.optional(),
    srt: srtSchema(secrets).optional().describe('SRT of this stream'),
    restream: restreamSchema(secrets).optional().describe('where the stream is pushed on to'),
  });
}

/** The configuration file. */
export function configurationSchema<L>(ladder: z.ZodType<L>, secrets: SecretSources = PROCESS_SECRETS) {
  const streams = z.record(z.string(), streamSchema(ladder, secrets)).default({}).transform(byStreamName);
  return z.strictObject({
    $schema: z.string().optional().describe('address of configuration.schema.json, for editors'),
    partTarget: partTarget.default(seconds(0.5)).describe(MEANINGS.partTarget),
    segmentDuration: segmentDuration.default(seconds(2)).describe(MEANINGS.segmentDuration),
    dvr: dvrSchema.default(DEFAULT_DVR).describe(MEANINGS.dvr),
    recording: recordingSchema.default(DEFAULT_RECORDING).describe(MEANINGS.recording),
    retention: retentionSchema.prefault({}).describe('the sweep of object storage; not of one stream'),
    ladder: ladder.optional().describe(MEANINGS.ladder),
    publish: publishSchema.prefault({}).describe('who may publish'),
    maxStreams: z
      .int()
      .min(1)
      .max(10_000)
      .default(DEFAULT_MAX_STREAMS)
      .describe('streams live at once on this origin'),
    ingestLimits: ingestLimitsSchema
      .prefault({})
      .describe('what one address may do on the ingest ports')
      .meta({ reload: 'restart' }),
    redundancy: redundancySchema.prefault({}).describe('feeds and origins that take over'),
    webhooks: webhooksSchema,
    degraded: degradedSchema,
    streams: streams.describe('settings of single streams by name, in place of those above'),
  });
}

/** A key of a JSON object is any text: only stream names pass. */
function byStreamName<S>(streams: Readonly<Record<string, S>>, context: z.RefinementCtx): Map<StreamName, S> {
  const named = new Map<StreamName, S>();
  for (const [text, settings] of Object.entries(streams)) {
    const name = parseStreamName(text);
    if (name.ok) {
      named.set(name.value, settings);
    } else {
      context.addIssue({ code: 'custom', message: `not a stream name: ${name.failure.expected}` });
    }
  }
  return named;
}

type Configuration<L> = z.infer<ReturnType<typeof configurationSchema<L>>>;
type ReadFile<L> = { readonly parsed: Configuration<L>; readonly json: Readonly<Record<string, unknown>> };
const jsonObject = z.record(z.string(), z.unknown());

/** Reads and checks all settings; an empty variable counts as absent. */
export function loadSettings<L>(sources: SettingsSources<L>): Result<Settings<L>, SettingsFailure> {
  const environment = readEnvironment(sources.env);
  const configuration = readConfiguration(sources);
  if (environment.ok && configuration.ok) {
    const { parsed, json } = configuration.value;
    const publish = publishSettings(environment.value, parsed);
    const { receivers, lines } = readReceivers(parsed.webhooks, sources.env);
    return publish.ok && lines.length === 0
      ? ok({ ...settingsOf(environment.value, parsed, publish.value), webhooks: receivers, file: json })
      : fail({ reason: 'invalid-settings', lines: [...(publish.ok ? [] : publish.failure.lines), ...lines] });
  }
  const lines = [environment, configuration].flatMap((part) => (part.ok ? [] : part.failure.lines));
  return fail({ reason: 'invalid-settings', lines });
}

/** The settings of one stream: its own, from the file unless given, where it has some, the origin's otherwise. */
export function settingsForStream<L>(
  settings: Settings<L>,
  stream: StreamName,
  own: StreamOverrides<L> | undefined = settings.streams.get(stream),
): StreamSettings<L> {
  const { defaults } = settings;
  return {
    partTarget: own?.partTarget ?? defaults.partTarget,
    segmentDuration: own?.segmentDuration ?? defaults.segmentDuration,
    dvr: own?.dvr ?? defaults.dvr,
    recording: own?.recording ?? defaults.recording,
    ladder: own?.ladder ?? defaults.ladder,
  };
}

function readConfiguration<L>(sources: SettingsSources<L>): Result<ReadFile<L>, SettingsFailure> {
  const path = sources.env['RILL_CONFIG'] ?? '';
  const { env, readFile = PROCESS_SECRETS.readFile } = sources;
  const schema = configurationSchema(sources.ladderSchema, { env, readFile });
  const json = path === '' ? ok({}) : readJson(path, readFile);
  if (!json.ok) {
    return json;
  }
  const parsed = schema.safeParse(json.value);
  return parsed.success
    ? ok({ parsed: parsed.data, json: jsonObject.parse(json.value) })
    : fail({
        reason: 'invalid-settings',
        lines: parsed.error.issues.map(
          (issue) => `${path}: ${issue.path.length === 0 ? 'file' : issue.path.join('.')}: ${issue.message}`,
        ),
      });
}

function readJson(path: string, readFile: (path: string) => string): Result<unknown, SettingsFailure> {
  const failed = (what: string) => fail({ reason: 'invalid-settings' as const, lines: [what] });
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return failed(`RILL_CONFIG names ${path}, which cannot be read (${code}): correct the path or unset it`);
  }
  try {
    return ok(JSON.parse(content));
  } catch (error) {
    // The parser's message quotes the file, which may not be the one that was meant.
    const at = /line \d+ column \d+/.exec(String(error))?.[0];
    return failed(`${path}: not JSON${at === undefined ? '' : ` (${at})`}`);
  }
}

/** Those streams that have a value, with it. */
function pick<S, V>(
  streams: ReadonlyMap<StreamName, S>,
  read: (stream: S) => V | undefined,
): ReadonlyMap<StreamName, V> {
  return new Map(
    Array.from(streams).flatMap(([stream, own]) => {
      const value = read(own);
      return value === undefined ? [] : [[stream, value] as const];
    }),
  );
}

function publishSettings<L>(
  env: Environment,
  file: Configuration<L>,
): Result<PublishSettings, SettingsFailure> {
  const { tokenKeys, webhook } = file.publish;
  const secret = env.RILL_PUBLISH_WEBHOOK_SECRET;
  if (webhook !== undefined && secret === undefined) {
    const line = 'RILL_PUBLISH_WEBHOOK_SECRET is missing: publish.webhook is asked with its signature';
    return fail({ reason: 'invalid-settings', lines: [line] });
  }
  const keys = pick(file.streams, (stream) => stream.publishKeys);
  const asked = webhook === undefined ? undefined : webhookSettings(webhook, secret ?? '');
  return ok({ keys, tokenKeys, webhook: asked });
}

function settingsOf<L>(
  env: Environment,
  file: Configuration<L>,
  publish: PublishSettings,
): Omit<Settings<L>, 'file' | 'webhooks'> {
  const { partTarget, segmentDuration, dvr, recording, ladder } = file;
  return {
    host: env.RILL_HOST,
    ports: { rtmp: env.RILL_RTMP_PORT, srt: env.RILL_SRT_PORT, control: env.RILL_CONTROL_PORT },
    rtmps: rtmpsSettings(env),
    edgeUrl: env.RILL_EDGE_URL,
    serviceToken: env.RILL_SERVICE_TOKEN,
    controlToken: env.RILL_CONTROL_TOKEN,
    publishSecret: env.RILL_PUBLISH_SECRET,
    publish,
    objectStore: {
      endpoint: env.RILL_S3_ENDPOINT,
      bucket: env.RILL_S3_BUCKET,
      region: env.RILL_S3_REGION,
      accessKeyId: env.RILL_S3_ACCESS_KEY_ID,
      secretAccessKey: env.RILL_S3_SECRET_ACCESS_KEY,
    },
    dataDir: env.RILL_DATA_DIR,
    spoolBytes: env.RILL_SPOOL_MIB * BYTES_PER_MEBIBYTE,
    logLevel: env.RILL_LOG_LEVEL,
    ffmpeg: env.RILL_FFMPEG,
    confinement: confinementSettings(env),
    srtLatency: milliseconds(env.RILL_SRT_LATENCY_MS),
    openMetrics: env.RILL_OPEN_METRICS === 'true',
    ingestLimits: file.ingestLimits,
    maxStreams: file.maxStreams,
    redundancy: file.redundancy,
    degraded: file.degraded,
    retention: file.retention,
    defaults: { partTarget, segmentDuration, dvr, recording, ladder },
    streams: file.streams,
    srtStreams: pick(file.streams, (stream) => stream.srt),
    restreams: pick(file.streams, (stream) => stream.restream),
  };
}
