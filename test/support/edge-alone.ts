/** An edge without origin or store, on a free port and a data folder of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { SignJWT } from 'jose';
import { startEdgeHost, type EdgeHostOptions } from '../../edge-worker/host/edge-host.ts';
import { ScriptedOrigin } from './scripted-origin.ts';

type MediaStore = NonNullable<EdgeHostOptions['store']>;

const STREAM = 'show';
const SECRETS = {
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
  /** Signs a token of the edge with claims; it expires in an hour. */
  sign(claims: Record<string, unknown>): Promise<string>;
  /** Address of the stream's folder with a token, without a slash at its end. */
  readonly streamUrl: string;
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
  /** `request.cf` of every request. */
  readonly cf?: EdgeHostOptions['cf'];
  /** Pause between two evaluations of the rules of alerts, milliseconds. */
  readonly alertsEveryMs?: number;
  /** Storage of another edge, which has the same keys. */
  readonly store?: MediaStore;
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
    secrets: SECRETS,
    cacheMib: options.cacheMib,
    ...(options.variables === undefined ? {} : { variables: options.variables }),
    ...(options.cf === undefined ? {} : { cf: options.cf }),
    ...(options.alertsEveryMs === undefined ? {} : { alertsEveryMs: options.alertsEveryMs }),
    ...(options.store === undefined ? {} : { store: options.store }),
    log: { debug: quiet, info: quiet, warn: loud, error: loud },
  });
  const origin = new ScriptedOrigin({
    edgeUrl: host.url,
    serviceToken: SECRETS.serviceToken,
    stream: STREAM,
  });
  await origin.begin();
  const sign = (claims: Record<string, unknown>): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRETS.playSecret));
  const token = await sign({ stream: STREAM });
  const client = new AwsClient({
    accessKeyId: SECRETS.s3AccessKeyId,
    secretAccessKey: SECRETS.s3SecretAccessKey,
    service: 's3',
    region: 'auto',
    retries: 0,
  });
  return {
    origin,
    url: host.url,
    sign,
    streamUrl: `${host.url}/t/${token}/live/${STREAM}`,
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
