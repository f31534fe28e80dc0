/** An instance on this machine: edge, origin and demo source as processes of their own, in their order. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StreamName } from '#shared/identifiers.ts';
import { milliseconds } from '#shared/media-time.ts';
import { publishKey } from '../origin/ingest/access/publish-keys.ts';
import { controlUrl, edgeUrl, publishUrl, type Location } from './addresses.ts';
import { canDrawText, demoArguments } from './demo-source.ts';
import { qosEnginePlan, qosEnvironment, type QosEngine } from './qos-engine.ts';
import type { Secrets } from './secrets.ts';
import { SupervisedProcess, type ProcessPlan } from './supervised-process.ts';
import type { CommandError } from './terminal.ts';

/** What an instance runs with. */
export interface SystemOptions {
  readonly location: Location;
  /** Port of the local object storage, on 127.0.0.1. */
  readonly storagePort: number;
  /** The embedded QoS engine; `undefined`: playback is not recorded. */
  readonly qosEngine: QosEngine | undefined;
  readonly dataDir: string;
  readonly secrets: Secrets;
  /** The origin's configuration file. */
  readonly configFile: string | undefined;
  readonly logLevel: string;
  /** `undefined`: no demo source. */
  readonly demo: StreamName | undefined;
  readonly say: (line: string) => void;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FFMPEG = process.env['RILL_FFMPEG'] ?? 'ffmpeg';
/** Name of the bucket in `wrangler.toml`. */
const BUCKET = 'rill-media';
/** The origin ends its streams and uploads what it still holds. */
const ORIGIN_GRACE = milliseconds(10_000);
const EDGE_GRACE = milliseconds(5000);
const DEMO_GRACE = milliseconds(2000);

/** A running, or starting, instance. */
export class System {
  readonly #options: SystemOptions;
  /** In the order of their start. */
  readonly #processes: SupervisedProcess[] = [];
  readonly #failed = Promise.withResolvers<CommandError>();
  #stopping = false;

  constructor(options: SystemOptions) {
    this.#options = options;
  }

  /** Resolves when a part that the instance cannot do without has died for good. */
  get failed(): Promise<CommandError> {
    return this.#failed.promise;
  }

  /** Starts edge, origin and demo source, each when the one before is ready; the QoS engine keeps none waiting. */
  async start(): Promise<void> {
    await this.#startProcess(edgePlan(this.#options), (error) => {
      this.#failed.resolve(error);
    });
    this.#startQosEngine();
    await this.#startProcess(originPlan(this.#options), (error) => {
      this.#failed.resolve(error);
    });
    if (this.#options.demo !== undefined) {
      await this.#startProcess(await demoPlan(this.#options, this.#options.demo), (error) => {
        this.#options.say(`${error.message}; everything else goes on`);
      });
    }
  }

  /** Ends everything, last started first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const one of this.#processes.toReversed()) {
      await one.stop();
    }
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const one of this.#processes) {
      one.kill();
    }
  }

  /** The edge keeps what it has to write until the engine is there. */
  #startQosEngine(): void {
    const { qosEngine, dataDir, say } = this.#options;
    if (qosEngine === undefined) {
      return;
    }
    const onGivenUp = (error: CommandError): void => {
      say(`${error.message}; playback goes on and is not recorded`);
    };
    this.#startProcess(qosEnginePlan(qosEngine, dataDir), onGivenUp).catch((error: unknown) => {
      if (!this.#stopping) {
        say(`${String(error)}; playback goes on and is not recorded`);
      }
    });
  }

  async #startProcess(plan: ProcessPlan, onGivenUp: (error: CommandError) => void): Promise<void> {
    if (this.#stopping) {
      return;
    }
    const { say } = this.#options;
    const since = performance.now();
    const one = new SupervisedProcess(plan, { say, onGivenUp });
    this.#processes.push(one);
    await one.start();
    say(`${plan.name} ready after ${((performance.now() - since) / 1000).toFixed(1)} s`);
  }
}

function edgePlan({
  location,
  storagePort,
  qosEngine,
  dataDir,
  secrets,
  logLevel,
}: SystemOptions): ProcessPlan {
  return {
    name: 'edge',
    command: process.execPath,
    args: [path.join(ROOT, 'edge-worker/host/main.ts')],
    ipc: true,
    readiness: { kind: 'message' },
    grace: EDGE_GRACE,
    env: {
      ...process.env,
      RILL_HOST: location.host,
      RILL_EDGE_PORT: String(location.ports.edge),
      RILL_STORAGE_PORT: String(storagePort),
      RILL_DATA_DIR: dataDir,
      RILL_PLAY_SECRET: secrets.playSecret,
      RILL_SERVICE_TOKEN: secrets.serviceToken,
      // The edge's own storage, whatever the shell has set for another edge.
      RILL_S3_ENDPOINT: '',
      RILL_S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
      RILL_S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
      RILL_LOG_LEVEL: logLevel,
      ...qosEnvironment(qosEngine),
    },
  };
}

function originPlan(options: SystemOptions): ProcessPlan {
  const { location, storagePort, dataDir, secrets, configFile, logLevel } = options;
  return {
    name: 'origin',
    command: process.execPath,
    args: [path.join(ROOT, 'origin/main.ts')],
    ipc: true,
    readiness: { kind: 'healthy', url: `${controlUrl(location)}/healthz` },
    grace: ORIGIN_GRACE,
    env: {
      ...process.env,
      RILL_HOST: location.host,
      RILL_RTMP_PORT: String(location.ports.rtmp),
      RILL_SRT_PORT: String(location.ports.srt),
      RILL_CONTROL_PORT: String(location.ports.control),
      RILL_EDGE_URL: edgeUrl(location),
      RILL_SERVICE_TOKEN: secrets.serviceToken,
      RILL_CONTROL_TOKEN: secrets.controlToken,
      RILL_PUBLISH_SECRET: secrets.publishSecret,
      RILL_S3_ENDPOINT: `http://127.0.0.1:${storagePort}/cdn-cgi/local/r2/s3`,
      RILL_S3_BUCKET: BUCKET,
      RILL_S3_REGION: 'auto',
      RILL_S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
      RILL_S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
      RILL_CONFIG: configFile ?? '',
      RILL_DATA_DIR: dataDir,
      RILL_LOG_LEVEL: logLevel,
    },
  };
}

async function demoPlan(options: SystemOptions, stream: StreamName): Promise<ProcessPlan> {
  const { location, secrets } = options;
  const key = publishKey(secrets.publishSecret, stream);
  const url = publishUrl({ location, stream, protocol: 'rtmp', key });
  return {
    name: 'demo source',
    command: FFMPEG,
    args: demoArguments({ url, clock: await canDrawText(FFMPEG) }),
    ipc: false,
    readiness: { kind: 'spawned' },
    grace: DEMO_GRACE,
    env: process.env,
  };
}
