/**
 * Hosts the edge outside Cloudflare: the Worker in workerd through Miniflare, its bindings as `wrangler.toml`
 * names them, R2 and Durable Objects kept in a data folder.
 *
 * Two sockets: viewers and origins reach the front (see `front.ts`); object storage speaks S3 on a port
 * of its own on the loopback interface. Miniflare's own entry serves buckets without a token and believes the
 * client's `MF-CF-Blob` header, so viewers never reach it.
 */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare, type Json } from 'miniflare';
import type { TrustedHeaders } from '../../shared/access/trusted-headers.ts';
import { readBuiltWorker, type BuiltWorker } from './built-worker.ts';
import { PortInUseError, assertPortFree } from './port.ts';
import { runtimeLog, type HostLog } from './runtime-log.ts';
import { miniflareOptions, type EdgeSecrets, type MediaStore } from './worker-options.ts';

/** The repository's Worker configuration. */
const WRANGLER_CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url));
/** What stands before the Worker. */
const FRONT = fileURLToPath(new URL('./front.ts', import.meta.url));

/** Where Miniflare's local S3 API lies; the bucket's name follows. */
const S3_PATH = '/cdn-cgi/local/r2/s3';

/** Memory for delivery's cache, MiB: the hot windows of a dozen streams with five renditions each. */
const DEFAULT_CACHE_MIB = 256;

/** Pause between two evaluations of the rules of alerts, milliseconds: where Cloudflare's cron has a minute. */
const ALERTS_EVERY_MS = 15_000;

/** The schedule as `wrangler.toml` has it. */
const CRON = '* * * * *';

/** What an edge host runs with. */
export interface EdgeHostOptions {
  /** Address that viewers and origins reach. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Port of the S3 API on 127.0.0.1; 0, the default, takes any free port. */
  readonly storagePort?: number;
  /** Folder of the persisted objects and Durable Objects. */
  readonly dataDir: string;
  readonly secrets: EdgeSecrets;
  /** S3 store to read media from; without it they are read from the data folder's own. */
  readonly store?: MediaStore;
  /** MiB of memory for delivery's cache, since there is no platform's; 0 leaves it out. */
  readonly cacheMib?: number;
  /** More of the Worker's environment, by the names that `env.ts` has for it. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Port of V8's inspector on 127.0.0.1, for a CPU profile of the Worker; without it there is none. */
  readonly inspectorPort?: number | undefined;
  /** `request.cf` of every request, since nothing else knows a viewer's place here. */
  readonly cf?: Readonly<Record<string, Json>>;
  /** Headers that the proxy before this edge sets on each request; without them no header is believed. */
  readonly trustedHeaders?: TrustedHeaders;
  /** Pause between two evaluations of the rules of alerts, milliseconds. */
  readonly alertsEveryMs?: number;
  readonly log: HostLog;
  /** Another module than `front.ts` to stand before the Worker. */
  readonly front?: string;
  /** Another Worker's configuration file. */
  readonly configFile?: string;
  /** File of a Worker that was built before, in place of configuration file and front. */
  readonly builtWorker?: string | undefined;
}

/** A running edge. */
export interface EdgeHost {
  readonly url: string;
  readonly port: number;
  /** S3 API without the bucket's name, path style; region `auto`. */
  readonly s3Endpoint: string;
  readonly bucket: string;
  /** Ends workerd; what was written stays in the data folder. */
  readonly close: () => Promise<void>;
}

/** Starts the edge. Throws a {@link PortInUseError}, or Miniflare's error when the Worker does not start. */
export async function startEdgeHost(options: EdgeHostOptions): Promise<EdgeHost> {
  const persistDir = path.resolve(options.dataDir, 'edge');
  await mkdir(persistDir, { recursive: true, mode: 0o700 });
  await assertPortFree(options.host, options.port);
  const worker = miniflareOptions({
    worker: await workerOf(options),
    host: options.host,
    port: options.port,
    storagePort: options.storagePort ?? 0,
    persistDir,
    secrets: options.secrets,
    store: options.store,
    cacheMib: options.cacheMib ?? DEFAULT_CACHE_MIB,
    variables: options.variables ?? {},
    inspectorPort: options.inspectorPort,
    cf: options.cf ?? {},
    trustedHeaders: options.trustedHeaders ?? {},
    ...runtimeLog(options.log),
  });
  const miniflare = new Miniflare(worker.options);
  try {
    const storage = await miniflare.ready;
    const front = await miniflare.unsafeGetDirectURL(worker.workerName);
    const stopAlerts =
      options.variables?.['RILL_ALERTS'] === undefined
        ? undefined
        : runSchedule(miniflare, worker.workerName, options);
    return {
      url: front.origin,
      port: Number(front.port),
      s3Endpoint: new URL(S3_PATH, storage).href,
      bucket: worker.bucket,
      close: async () => {
        stopAlerts?.();
        await miniflare.dispose();
      },
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** The Worker as it was built before, or built now; what builds it is only needed then. */
async function workerOf({ builtWorker, configFile, front }: EdgeHostOptions): Promise<BuiltWorker> {
  if (builtWorker !== undefined) {
    return readBuiltWorker(builtWorker);
  }
  const { buildWorker } = await import('./build-worker.ts');
  return buildWorker(configFile ?? WRANGLER_CONFIG, front ?? FRONT);
}

/** Calls the Worker's `scheduled` handler in place of Cloudflare's cron, one call at a time; returns how to stop. */
function runSchedule(
  miniflare: Miniflare,
  name: string,
  { log, alertsEveryMs }: Pick<EdgeHostOptions, 'log' | 'alertsEveryMs'>,
): () => void {
  let isRunning = false;
  const run = async (): Promise<void> => {
    if (isRunning) {
      return;
    }
    isRunning = true;
    try {
      const worker = await miniflare.getWorker(name);
      await worker.scheduled({ cron: CRON });
    } catch (error) {
      log.warn({ cause: String(error) }, 'the schedule was not run');
    } finally {
      isRunning = false;
    }
  };
  const timer = setInterval(() => void run(), alertsEveryMs ?? ALERTS_EVERY_MS);
  return () => clearInterval(timer);
}

export { PortInUseError };
