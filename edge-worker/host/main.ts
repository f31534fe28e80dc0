/**
 * Runs the edge host as a process: settings from `RILL_*` in the environment, readiness told as an IPC message
 * to the parent or, without one, as a line of JSON on stdout. Ends on SIGTERM, SIGINT and when its parent goes.
 */

import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { z } from 'zod';
import { startEdgeHost, type EdgeHostOptions } from './edge-host.ts';
import { trustedHeadersOf, trustedHeaderVariables } from './trusted-headers.ts';

/** After its parent is gone: time for an origin that the same parent ran to publish the end of its streams. */
const ORPHAN_GRACE_MS = 3000;
const STDOUT = 1;
const STDERR = 2;

const port = z.coerce.number().int().min(0).max(65_535);
const secret = z.string('must be set').min(1, 'must be set');
const SECONDS = /^\d{0,8}$/;
const environmentSchema = z.object({
  RILL_HOST: z.string().min(1).default('127.0.0.1'),
  RILL_EDGE_PORT: port.default(8080),
  RILL_STORAGE_PORT: port.default(0),
  RILL_DATA_DIR: z.string().min(1).default('.rill'),
  /** File that build-main.ts wrote, in place of building the Worker at each start; the image sets it. */
  RILL_BUILT_WORKER: z.string().optional(),
  RILL_PLAY_SECRET: secret,
  RILL_SERVICE_TOKEN: secret,
  RILL_S3_ACCESS_KEY_ID: secret,
  RILL_S3_SECRET_ACCESS_KEY: secret,
  /** S3 store to read media from, with the keys above; empty: the one in the data folder. */
  RILL_S3_ENDPOINT: z.union([z.literal(''), z.url()]).default(''),
  RILL_S3_BUCKET: z.string().min(1).default('rill-media'),
  RILL_S3_REGION: z.string().min(1).default('auto'),
  /** MiB of memory for delivery's cache; 0 leaves it out. */
  RILL_CACHE_MIB: z.coerce.number().int().min(0).max(65_536).default(256),
  /** Port of V8's inspector on 127.0.0.1, for a CPU profile; unset: none. */
  RILL_INSPECTOR_PORT: port.optional(),
  /** JSON object that every request has as `request.cf`. */
  RILL_CF: z.string().default('{}'),
  /** Life of session tokens; empty: as without. */
  RILL_SESSION_SECONDS: z.string().regex(SECONDS, 'must be seconds').default(''),
  RILL_SESSION_MAX_SECONDS: z.string().regex(SECONDS, 'must be seconds').default(''),
  ...trustedHeaderVariables,
  RILL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});
/** Variables that the Worker gets as they stand in the environment. */
const PASSED_ON = [
  'RILL_SESSION_SECRET',
  'RILL_SESSION_SECONDS',
  'RILL_SESSION_MAX_SECONDS',
  'RILL_CLICKHOUSE_URL',
  'RILL_CLICKHOUSE_USER',
  'RILL_CLICKHOUSE_PASSWORD',
  'RILL_CLICKHOUSE_DATABASE',
  'RILL_QOS_DELIVERY_SAMPLE',
  'RILL_QOS_BUFFER_MIB',
  'RILL_ALERTS',
  'RILL_ALERTS_KEY',
] as const;
const cfSchema = z.record(z.string(), z.json());

await run();

async function run(): Promise<void> {
  const options = readOptions(process.env);
  if (options === undefined) {
    return;
  }
  // Miniflare's own handlers of SIGTERM and SIGINT end workerd and then this process.
  process.once('disconnect', () => {
    setTimeout(() => process.exit(0), ORPHAN_GRACE_MS);
  });
  try {
    const { url, port: edgePort, s3Endpoint, bucket } = await startEdgeHost(options);
    const ready = { kind: 'ready', url, port: edgePort, s3Endpoint, bucket };
    if (process.send === undefined) {
      writeSync(STDOUT, `${JSON.stringify(ready)}\n`);
    } else {
      process.send(ready);
    }
  } catch (error) {
    fatal(error instanceof Error ? error.message : String(error));
  }
}

function readOptions(environment: NodeJS.ProcessEnv): EdgeHostOptions | undefined {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    fatal(`the environment is not complete:\n${z.prettifyError(parsed.error)}`);
    return undefined;
  }
  const settings = parsed.data;
  return {
    host: settings.RILL_HOST,
    port: settings.RILL_EDGE_PORT,
    storagePort: settings.RILL_STORAGE_PORT,
    dataDir: settings.RILL_DATA_DIR,
    builtWorker: settings.RILL_BUILT_WORKER,
    secrets: {
      playSecret: settings.RILL_PLAY_SECRET,
      serviceToken: settings.RILL_SERVICE_TOKEN,
      s3AccessKeyId: settings.RILL_S3_ACCESS_KEY_ID,
      s3SecretAccessKey: settings.RILL_S3_SECRET_ACCESS_KEY,
    },
    ...(settings.RILL_S3_ENDPOINT === '' ? {} : { store: storeOf(settings) }),
    cacheMib: settings.RILL_CACHE_MIB,
    inspectorPort: settings.RILL_INSPECTOR_PORT,
    variables: passedOn(environment),
    cf: cfSchema.parse(JSON.parse(settings.RILL_CF)),
    trustedHeaders: trustedHeadersOf(settings),
    log: createLog(settings.RILL_LOG_LEVEL),
  };
}

function passedOn(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

function storeOf(settings: z.infer<typeof environmentSchema>): NonNullable<EdgeHostOptions['store']> {
  return {
    endpoint: settings.RILL_S3_ENDPOINT,
    bucket: settings.RILL_S3_BUCKET,
    region: settings.RILL_S3_REGION,
  };
}

function createLog(level: string): EdgeHostOptions['log'] {
  const transport = {
    target: 'pino-pretty',
    options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' },
  };
  return pino({ name: 'edge', level, ...(process.stdout.isTTY ? { transport } : {}) });
}

/** Written at once, since the process ends and a log transport would not get to it. */
function fatal(message: string): void {
  writeSync(STDERR, `rill edge: ${message}\n`);
  process.exit(1);
}
