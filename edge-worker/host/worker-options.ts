/** Derives Miniflare's options from `wrangler.toml`, the one place that names the Worker's bindings. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Loader } from 'esbuild';
import {
  convertV4MiniflareOptions,
  type Json,
  type Log,
  type MiniflareOptions,
  type V4ModuleRule,
  type V4WorkerOptions,
  type V4WorkerOptionsShape,
  type V4WorkerdStructuredLog,
} from 'miniflare';
import type { FrontEnvironment } from './front-worker.ts';
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from 'wrangler';

/** What the Worker must not share. */
export interface EdgeSecrets {
  /** Signs playback tokens. */
  readonly playSecret: string;
  /** Authenticates origins. */
  readonly serviceToken: string;
  readonly s3AccessKeyId: string;
  readonly s3SecretAccessKey: string;
}

/** An S3 store that the Worker reads media from in place of its own bucket. */
export interface MediaStore {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
}

/** Where the Worker listens, what it keeps and who hears it. */
export interface WorkerHostOptions {
  readonly configFile: string;
  readonly front: { readonly host: string; readonly port: number };
  readonly storagePort: number;
  readonly persistDir: string;
  readonly secrets: EdgeSecrets;
  /** Read with the S3 keys among the secrets; `undefined`: the bucket in the data folder. */
  readonly store: MediaStore | undefined;
  /** MiB of memory for delivery's cache; 0 leaves it out. */
  readonly cacheMib: number;
  /** Further variables of the Worker by name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly cf: Readonly<Record<string, Json>>;
  readonly log: Log;
  readonly handleStructuredLogs: (entry: V4WorkerdStructuredLog) => void;
}

const FRONT_NAME = 'rill-front';
const FRONT_WORKER = fileURLToPath(new URL('./front-worker.ts', import.meta.url));
/** Storage has no other guard than its keys and is only for origins on this machine. */
const STORAGE_HOST = '127.0.0.1';

/** Miniflare's options, with the names by which the front and the bucket are found again. */
export async function miniflareOptions(options: WorkerHostOptions): Promise<{
  readonly options: MiniflareOptions;
  readonly frontName: string;
  readonly workerName: string;
  readonly bucket: string;
}> {
  const { workerOptions, define, main, externalWorkers } = readWorkerOptions(options.configFile);
  if (main === undefined) {
    throw new Error(`${options.configFile} names no "main": it must name the Worker's entry file`);
  }
  // Its declared type forgets every known option behind an index signature; Miniflare's own type has them.
  const { modulesRules, ...worker }: V4WorkerOptionsShape & { readonly modulesRules?: V4ModuleRule[] } =
    workerOptions;
  const name = worker.name ?? 'worker';
  const { buckets, bucket } = withCredentials(worker.r2Buckets, options);
  const converted = convertV4MiniflareOptions({
    host: STORAGE_HOST,
    port: options.storagePort,
    resourcePersistencePath: options.persistDir,
    // Miniflare would otherwise ask the internet where this machine is.
    cf: {},
    telemetry: { enabled: false },
    log: options.log,
    handleStructuredLogs: options.handleStructuredLogs,
    workers: [
      await frontOptions(options, { name, compatibilityDate: worker.compatibilityDate }),
      {
        ...worker,
        name,
        bindings: {
          ...worker.bindings,
          RILL_PLAY_SECRET: options.secrets.playSecret,
          RILL_SERVICE_TOKEN: options.secrets.serviceToken,
          RILL_CACHE_MIB: String(options.cacheMib),
          ...storeBindings(options.store, options.secrets),
          ...options.variables,
        },
        r2Buckets: buckets,
        modules: [
          {
            type: 'ESModule',
            path: path.join(path.dirname(main), 'worker.mjs'),
            contents: await bundle({ entry: main, define, loader: textLoaders(modulesRules ?? []) }),
          },
        ],
      },
      ...externalWorkers,
    ],
  });
  return { options: converted, frontName: FRONT_NAME, workerName: name, bucket };
}

function storeBindings(store: MediaStore | undefined, secrets: EdgeSecrets): Record<string, string> {
  return store === undefined
    ? {}
    : {
        RILL_S3_ENDPOINT: store.endpoint,
        RILL_S3_BUCKET: store.bucket,
        RILL_S3_REGION: store.region,
        RILL_S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
        RILL_S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
      };
}

/** The front's options: the only socket that viewers reach, in front of the Worker. */
async function frontOptions(
  options: WorkerHostOptions,
  worker: { readonly name: string; readonly compatibilityDate: string | undefined },
): Promise<V4WorkerOptions> {
  const bindings: Record<Exclude<keyof FrontEnvironment, 'EDGE'>, Json> = { CF: { ...options.cf } };
  return {
    name: FRONT_NAME,
    rootPath: path.dirname(FRONT_WORKER),
    ...(worker.compatibilityDate === undefined ? {} : { compatibilityDate: worker.compatibilityDate }),
    modules: [
      {
        type: 'ESModule',
        path: path.join(path.dirname(FRONT_WORKER), 'front.mjs'),
        contents: await bundle({ entry: FRONT_WORKER, define: {}, loader: {} }),
      },
    ],
    serviceBindings: { EDGE: worker.name },
    bindings,
    unsafeDirectSockets: [{ host: options.front.host, port: options.front.port }],
  };
}

/** Bundles a Worker into one module as wrangler does. */
async function bundle(input: {
  readonly entry: string;
  readonly define: Readonly<Record<string, string>>;
  readonly loader: Readonly<Record<string, Loader>>;
}): Promise<string> {
  const result = await build({
    entryPoints: [input.entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    define: { ...input.define },
    loader: { ...input.loader },
    sourcemap: 'inline',
    keepNames: true,
    logLevel: 'silent',
  });
  const output = result.outputFiles[0];
  if (output === undefined) {
    throw new Error(`esbuild made no output of ${input.entry}`);
  }
  return output.text;
}

/** esbuild's loaders for the file extensions that wrangler's rules import as text. */
function textLoaders(rules: readonly V4ModuleRule[]): Record<string, Loader> {
  const globs = rules.filter((rule) => rule.type === 'Text').flatMap((rule) => rule.include);
  const extensions = globs.flatMap((glob) => /^\*\*\/\*(\.[a-z0-9.]+)$/i.exec(glob)?.[1] ?? []);
  return Object.fromEntries(extensions.map((extension) => [extension, 'text' as const]));
}

type Buckets = NonNullable<V4WorkerOptionsShape['r2Buckets']>;

/** Opens the Worker's bucket to the S3 keys; there must be exactly one. */
function withCredentials(
  buckets: Buckets | undefined,
  options: WorkerHostOptions,
): { readonly buckets: Record<string, R2Bucket>; readonly bucket: string } {
  const named = Object.entries(buckets ?? {});
  const [only, ...more] = named;
  if (only === undefined || more.length > 0) {
    throw new Error(`${options.configFile} names ${named.length} R2 buckets: the edge has exactly one`);
  }
  const [binding, value] = only;
  const bucket = typeof value === 'string' ? value : value.id;
  const s3Credentials = {
    accessKeyId: options.secrets.s3AccessKeyId,
    secretAccessKey: options.secrets.s3SecretAccessKey,
  };
  return { buckets: { [binding]: { id: bucket, s3Credentials } }, bucket };
}

interface R2Bucket {
  readonly id: string;
  readonly s3Credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}
