/** Derives Miniflare's options from a built Worker and what a host adds: addresses, secrets, storage. */

import path from 'node:path';
import {
  convertV4MiniflareOptions,
  type Json,
  type Log,
  type MiniflareOptions,
  type V4WorkerOptions,
  type V4WorkerOptionsShape,
  type V4WorkerdStructuredLog,
} from 'miniflare';
import type { TrustedHeaders } from '../../shared/access/trusted-headers.ts';
import { FRONT_OPTIONS_MODULE, type BuiltWorker } from './built-worker.ts';
import type { FrontOptions } from './front.ts';

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
  readonly worker: BuiltWorker;
  readonly host: string;
  readonly port: number;
  readonly storagePort: number;
  readonly persistDir: string;
  readonly secrets: EdgeSecrets;
  /** Read with the S3 keys among the secrets; `undefined`: the bucket in the data folder. */
  readonly store: MediaStore | undefined;
  /** MiB of memory for delivery's cache; 0 leaves it out. */
  readonly cacheMib: number;
  /** Port of V8's inspector on 127.0.0.1. */
  readonly inspectorPort: number | undefined;
  /** Further variables of the Worker by name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly cf: Readonly<Record<string, Json>>;
  readonly trustedHeaders: TrustedHeaders;
  readonly log: Log;
  readonly handleStructuredLogs: (entry: V4WorkerdStructuredLog) => void;
}

/** Storage has no other guard than its keys and is only for origins on this machine. */
const STORAGE_HOST = '127.0.0.1';

/** Miniflare's options, with the names by which the Worker and the bucket are found again. */
export function miniflareOptions(options: WorkerHostOptions): {
  readonly options: MiniflareOptions;
  readonly workerName: string;
  readonly bucket: string;
} {
  const { assets, ...worker } = options.worker.options;
  const name = worker.name ?? 'worker';
  const pages = assets === undefined ? undefined : pagesWorker(name, assets);
  const front: FrontOptions = { cf: options.cf, addressHeader: options.trustedHeaders.address };
  const { buckets, bucket } = withCredentials(worker.r2Buckets, options);
  const converted = convertV4MiniflareOptions({
    host: STORAGE_HOST,
    port: options.storagePort,
    resourcePersistencePath: options.persistDir,
    // Miniflare would otherwise ask the internet where this machine is.
    cf: {},
    telemetry: { enabled: false },
    ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
    log: options.log,
    handleStructuredLogs: options.handleStructuredLogs,
    workers: [
      {
        ...worker,
        name,
        unsafeDirectSockets: [{ host: options.host, port: options.port }],
        bindings: {
          ...worker.bindings,
          RILL_PLAY_SECRET: options.secrets.playSecret,
          RILL_SERVICE_TOKEN: options.secrets.serviceToken,
          RILL_CACHE_MIB: String(options.cacheMib),
          RILL_TRUSTED_HEADERS: withoutAbsent(options.trustedHeaders),
          ...storeBindings(options.store, options.secrets),
          ...options.variables,
        },
        serviceBindings: { ...worker.serviceBindings, ...pages?.bindings },
        r2Buckets: buckets,
        modules: modules(options.worker.module, front),
      },
      ...(pages === undefined ? [] : [pages.worker]),
      ...options.worker.others,
    ],
  });
  return { options: converted, workerName: name, bucket };
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

/** A binding is JSON, which has no `undefined`. */
function withoutAbsent(headers: TrustedHeaders): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries<string | number | undefined>({ ...headers }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

type Assets = NonNullable<V4WorkerOptionsShape['assets']>;

/**
 * The pages as a Worker of their own. On the edge's own Worker Miniflare would put two more before it, which every
 * request would have to pass.
 */
function pagesWorker(
  edge: string,
  assets: Assets,
): { readonly worker: V4WorkerOptions; readonly bindings: Readonly<Record<string, string>> } {
  const name = `${edge}-pages`;
  const binding = assets.binding ?? 'ASSETS';
  const contents = `export default { fetch: (request, env) => env[${JSON.stringify(binding)}].fetch(request) };`;
  const modules = [{ type: 'ESModule' as const, path: 'pages.mjs', contents }];
  return {
    worker: { name, modules, assets: { ...assets, binding } },
    bindings: { [binding]: name },
  };
}

function modules(worker: string, front: FrontOptions): EsModule[] {
  const frontOptions = `export default ${JSON.stringify(front)};`;
  return [
    { type: 'ESModule', path: 'worker.mjs', contents: worker },
    { type: 'ESModule', path: path.basename(FRONT_OPTIONS_MODULE), contents: frontOptions },
  ];
}

interface EsModule {
  readonly type: 'ESModule';
  readonly path: string;
  readonly contents: string;
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
    throw new Error(`the Worker's configuration names ${named.length} R2 buckets: the edge has exactly one`);
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
