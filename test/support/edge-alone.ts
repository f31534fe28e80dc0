/** An edge without origin or store, on a free port and a data folder of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsClient } from 'aws4fetch';
import { SignJWT, type JWTPayload } from 'jose';
import { startEdgeHost, type EdgeHostOptions } from '../../edge-worker/host/edge-host.ts';
import { hubLoadSchema, type HubLoad } from '#shared/wire/publish.ts';
import { ScriptedOrigin } from './scripted-origin.ts';

type MediaStore = NonNullable<EdgeHostOptions['store']>;

/** Tests say where a request comes from. */
const PLACED_FRONT = fileURLToPath(new URL('placed-front.ts', import.meta.url));

const STREAM = 'show';
const HOUR_SECONDS = 3_600;
/** So late that no session is begun: whose tokens are not looked at play with one address. */
const LONG_AFTER_THE_TEST = 4_000_000_000;
/** Secrets of an edge alone. */
export const EDGE_SECRETS = {
  playSecret: 'a playback secret for tests that is long enough',
  serviceToken: 'service-token-for-tests',
  s3AccessKeyId: 'access-key-id',
  s3SecretAccessKey: 'secret-access-key',
};

/** A running edge with one stream. */
export interface EdgeAlone {
  readonly origin: ScriptedOrigin;
  /** Address of the edge, without a slash at its end. */
  readonly url: string;
  /** Signs a playback token for the stream; it is valid for an hour unless the claims say otherwise. */
  sign(claims: JWTPayload): Promise<string>;
  /** Address of the stream's folder with a token, without a slash at its end. */
  readonly streamUrl: string;
  readonly dataDir: string;
  /** Path of a stream's folder for one viewer, with a token of its own; the stream that was begun unless named. */
  viewerPath(viewer: string, stream?: string): Promise<string>;
  /** What has reached a stream's hub. */
  hubLoad(stream?: string): Promise<HubLoad>;
  /** Key of playback tokens. */
  readonly playSecret: string;
  /** Its storage, as another edge would read it. */
  readonly store: MediaStore;
  /** Writes an object to its storage. */
  putObject(key: string, body: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an edge whose cache has `cacheMib` MiB and begins a stream there. */
export async function startEdgeAlone(options: {
  readonly cacheMib: number;
  /** Further variables of the Worker. */
  readonly variables?: Readonly<Record<string, string>>;
  /** `request.cf` of every request that says nothing of its own. */
  readonly cf?: EdgeHostOptions['cf'];
  /** Pause between two evaluations of the rules of alerts, milliseconds. */
  readonly alertsEveryMs?: number;
  /** Storage of another edge, which has the same keys. */
  readonly store?: MediaStore;
  /** EXT-X-TARGETDURATION, seconds: three of them are the longest hold. */
  readonly targetDuration?: number;
}): Promise<EdgeAlone> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rill-edge-alone-'));
  const quiet = (): void => undefined;
  const loud = (facts: object, message: string): void => {
    process.stderr.write(`${message} ${JSON.stringify(facts)}\n`);
  };
  const host = await startEdgeHost({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    secrets: EDGE_SECRETS,
    cacheMib: options.cacheMib,
    front: PLACED_FRONT,
    builtWorker: process.env['RILL_TEST_PLACED_WORKER'],
    ...(options.variables === undefined ? {} : { variables: options.variables }),
    ...(options.alertsEveryMs === undefined ? {} : { alertsEveryMs: options.alertsEveryMs }),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.cf === undefined ? {} : { cf: options.cf }),
    log: { debug: quiet, info: quiet, warn: loud, error: loud },
  });
  const origin = new ScriptedOrigin({
    edgeUrl: host.url,
    serviceToken: EDGE_SECRETS.serviceToken,
    stream: STREAM,
    ...(options.targetDuration === undefined ? {} : { targetDuration: options.targetDuration }),
  });
  await origin.begin();
  const viewerPath: EdgeAlone['viewerPath'] = async (viewer, stream = STREAM) =>
    `/t/${await sign({ stream, sub: viewer, exp: LONG_AFTER_THE_TEST })}/live/${stream}`;
  const client = new AwsClient({
    accessKeyId: EDGE_SECRETS.s3AccessKeyId,
    secretAccessKey: EDGE_SECRETS.s3SecretAccessKey,
    service: 's3',
    region: 'auto',
    retries: 0,
  });
  return {
    origin,
    url: host.url,
    playSecret: EDGE_SECRETS.playSecret,
    sign,
    streamUrl: host.url + (await viewerPath('viewer')),
    dataDir,
    viewerPath,
    hubLoad: async (stream = STREAM) => {
      const answer = await fetch(`${host.url}/publish/${stream}/load`, {
        headers: { authorization: `Bearer ${EDGE_SECRETS.serviceToken}` },
      });
      return hubLoadSchema.parse(await answer.json());
    },
    store: { endpoint: host.s3Endpoint, bucket: host.bucket, region: 'auto' },
    putObject: async (key, body) => {
      const answer = await client.fetch(`${host.s3Endpoint}/${host.bucket}/${key}`, { method: 'PUT', body });
      if (!answer.ok) {
        throw new Error(`writing ${key}: ${answer.status} ${await answer.text()}`);
      }
    },
    stop: async () => {
      await host.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function sign(claims: JWTPayload): Promise<string> {
  return new SignJWT({ stream: STREAM, exp: Math.floor(Date.now() / 1000) + HOUR_SECONDS, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(EDGE_SECRETS.playSecret));
}
