/** Media in any store that speaks the S3 API (S3, SeaweedFS, Garage, R2 from elsewhere), path style. */

import { AwsClient } from 'aws4fetch';
import type { Env } from '../env.ts';

/** What delivery reads of an object. */
export interface MediaObject {
  readonly body: ReadableStream | Uint8Array<ArrayBuffer>;
  /** Bytes. */
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What delivery does with a bucket; an R2 binding fits. */
export interface MediaBucket {
  /** Opens an object; `null` when there is none. */
  get(key: string): Promise<MediaObject | null>;
}

/** Where the bucket is and the key that may read it. */
export interface S3Settings {
  /** Base URL; a path in it stays in front of the bucket. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An S3 store does not do as asked. */
export class S3Error extends Error {
  readonly code = 'RILL_S3_READ';

  constructor(status: number) {
    super(
      `the S3 store answered ${status}: check endpoint, bucket, region and keys ` +
        '(a key that may not list the bucket gets 403 where an object is missing)',
    );
    this.name = 'S3Error';
  }
}

/** SHA-256 of nothing: strict stores refuse a request that does not sign its payload. */
const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Longest wait for a store's whole answer, milliseconds; delivery waits less long for its beginning. */
const READ_TIMEOUT_MS = 60_000;

/** One for each environment, since it keeps the day's signing key. */
const buckets = new WeakMap<Env, MediaBucket>();

/** The bucket of an environment: the S3 store it names, otherwise its R2 binding. */
export function mediaBucket(env: Env): MediaBucket {
  const settings = s3Settings(env);
  if (settings === undefined) {
    return env.MEDIA;
  }
  const known = buckets.get(env) ?? openS3Bucket(settings);
  buckets.set(env, known);
  return known;
}

/** Opens a bucket for reading; `send` fetches a signed request. */
export function openS3Bucket(settings: S3Settings, send: typeof fetch = fetch): MediaBucket {
  const { accessKeyId, secretAccessKey, region } = settings;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
  const base = `${settings.endpoint.replace(/\/+$/, '')}/${settings.bucket}`;
  return {
    async get(key) {
      const headers = { 'x-amz-content-sha256': EMPTY_HASH };
      const signed = await client.sign(`${base}/${key}`, { headers });
      const answer = await send(signed, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
      if (answer.status === 200) {
        return readObject(answer);
      }
      await answer.body?.cancel();
      if (answer.status === 404) {
        return null;
      }
      throw new S3Error(answer.status);
    },
  };
}

async function readObject(answer: Response): Promise<MediaObject> {
  const length = answer.headers.get('content-length');
  if (length !== null && answer.body !== null) {
    return { body: answer.body, size: Number(length), arrayBuffer: () => answer.arrayBuffer() };
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { body: bytes, size: bytes.length, arrayBuffer: () => Promise.resolve(bytes.buffer) };
}

function s3Settings(env: Env): S3Settings | undefined {
  const { RILL_S3_ENDPOINT: endpoint = '', RILL_S3_BUCKET: bucket = '' } = env;
  const { RILL_S3_ACCESS_KEY_ID: accessKeyId = '', RILL_S3_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  return endpoint === ''
    ? undefined
    : { endpoint, bucket, accessKeyId, secretAccessKey, region: env.RILL_S3_REGION ?? 'auto' };
}
