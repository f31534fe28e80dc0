/**
 * Object storage over the S3 API (R2, S3, SeaweedFS, Garage), path style, requests signed with AWS Signature
 * Version 4 including the payload's hash.
 */

import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { fail, ok, type Result } from '#shared/result.ts';
import { HttpError, type HttpAnswer, type HttpSend } from './http-client.ts';

/** Where objects go. */
export interface ObjectStoreSettings {
  /** Base URL; a path in it stays in front of the bucket. */
  readonly endpoint: URL;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Why object storage did not do as asked. */
export type ObjectStoreFailure =
  /** Wrong or insufficient credentials. */
  | { readonly reason: 'denied'; readonly detail: string }
  | { readonly reason: 'no-such-bucket'; readonly detail: string }
  | { readonly reason: 'unreachable'; readonly detail: string }
  /** It answers, but cannot work at the moment (5xx, 408, 429). */
  | { readonly reason: 'unavailable'; readonly detail: string }
  /** It will not take this request, however often it is repeated. */
  | { readonly reason: 'refused'; readonly detail: string };

/** An object as HEAD describes it. */
export interface ObjectDescription {
  readonly size: number;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
}

/** One bucket. */
export interface ObjectStore {
  /** Writes an object that never changes again; repeating it with the same bytes is harmless. */
  put(
    key: string,
    bytes: Uint8Array,
    contentType: string,
    signal?: AbortSignal,
  ): Promise<Result<undefined, ObjectStoreFailure>>;
  /** Reads an object; `undefined` when there is none. */
  get(key: string): Promise<Result<Uint8Array | undefined, ObjectStoreFailure>>;
  /** Describes an object; `undefined` when there is none. */
  head(key: string): Promise<Result<ObjectDescription | undefined, ObjectStoreFailure>>;
  /** Writes a small object to see whether address, bucket and credentials are right. */
  check(): Promise<Result<undefined, ObjectStoreFailure>>;
}

/** Keys are never written twice, so every cache may keep them for a year, the longest that has a meaning. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Time for a request, milliseconds, plus a second for each MiB of its body. */
const REQUEST_MS = 10_000;
/** A body byte's share of time: 1 MiB a second is the slowest path that is put up with. */
const BYTES_PER_EXTRA_MS = 1024;
/** Largest object that is read back, bytes: a ten-second segment at 100 Mbit/s. */
const MAX_OBJECT_BYTES = 128 * 1024 * 1024;
/** Written by {@link ObjectStore.check}; outside `live/`, where no player looks. */
const CHECK_KEY = 'rill-check';
const CHECK_BYTES = new TextEncoder().encode('written by a Rill origin when it starts\n');

/** Opens a bucket; nothing is sent yet. */
export function openObjectStore(settings: ObjectStoreSettings, send: HttpSend): ObjectStore {
  const request = (method: 'GET' | 'HEAD' | 'PUT', key: string, put?: Put): Promise<HttpAnswer> =>
    signedRequest({ settings, send, method, key, put });
  const put: ObjectStore['put'] = async (key, bytes, contentType, signal) => {
    const answer = await attempt(settings, () => request('PUT', key, { bytes, contentType, signal }));
    return answer.ok ? ok(undefined) : answer;
  };
  return {
    put,
    async get(key) {
      const answer = await attempt(settings, () => request('GET', key), { absent: true });
      return answer.ok ? ok(answer.value?.body) : answer;
    },
    async head(key) {
      const answer = await attempt(settings, () => request('HEAD', key), { absent: true });
      return answer.ok ? ok(answer.value && describe(answer.value)) : answer;
    },
    check: () => put(CHECK_KEY, CHECK_BYTES, 'text/plain'),
  };
}

interface Put {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly signal: AbortSignal | undefined;
}

async function signedRequest(input: {
  readonly settings: ObjectStoreSettings;
  readonly send: HttpSend;
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly key: string;
  readonly put: Put | undefined;
}): Promise<HttpAnswer> {
  const { settings, method, put } = input;
  const body = put?.bytes;
  // The signer's default is UNSIGNED-PAYLOAD, which the local R2 and strict bucket policies refuse.
  const hash = createHash('sha256')
    .update(body ?? '')
    .digest('hex');
  const signed = await new AwsV4Signer({
    method,
    url: `${settings.endpoint.href.replace(/\/+$/, '')}/${settings.bucket}/${input.key}`,
    headers: {
      'x-amz-content-sha256': hash,
      ...(put === undefined ? {} : { 'content-type': put.contentType, 'cache-control': IMMUTABLE }),
    },
    accessKeyId: settings.accessKeyId,
    secretAccessKey: settings.secretAccessKey,
    region: settings.region,
    service: 's3',
  }).sign();
  return await input.send({
    method,
    url: signed.url,
    headers: Object.fromEntries(signed.headers),
    timeoutMs: REQUEST_MS + (body?.length ?? 0) / BYTES_PER_EXTRA_MS,
    maxAnswerBytes: MAX_OBJECT_BYTES,
    ...(body === undefined ? {} : { body }),
    ...(put?.signal === undefined ? {} : { signal: put.signal }),
  });
}

async function attempt(
  settings: ObjectStoreSettings,
  request: () => Promise<HttpAnswer>,
  options: { readonly absent: boolean } = { absent: false },
): Promise<Result<HttpAnswer | undefined, ObjectStoreFailure>> {
  try {
    const answer = await request();
    if (answer.status >= 200 && answer.status < 300) {
      return ok(answer);
    }
    const code = errorCodeOf(answer.body);
    const absent = answer.status === 404 && code !== 'NoSuchBucket';
    return absent && options.absent ? ok(undefined) : fail(failureOf(settings, answer.status, code));
  } catch (error) {
    if (error instanceof HttpError) {
      return fail({ reason: 'unreachable', detail: `object storage: ${error.message} (RILL_S3_ENDPOINT)` });
    }
    throw error;
  }
}

function describe(answer: HttpAnswer): ObjectDescription {
  return {
    size: Number(answer.headers['content-length'] ?? 0),
    contentType: answer.headers['content-type'],
    cacheControl: answer.headers['cache-control'],
  };
}

/** The `Code` of an S3 error document, `''` where there is none; it is short, and the rest may be hostile. */
function errorCodeOf(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1] ?? '';
}

function failureOf(settings: ObjectStoreSettings, status: number, code: string): ObjectStoreFailure {
  const where = `object storage at ${settings.endpoint.origin}, bucket "${settings.bucket}"`;
  const what = code === '' ? String(status) : `${status} ${code}`;
  if (status === 404) {
    return {
      reason: 'no-such-bucket',
      detail: `${where}: no such bucket (${what}); create it or correct RILL_S3_BUCKET`,
    };
  }
  if (status === 401 || status === 403) {
    return {
      reason: 'denied',
      detail: `${where} refused the credentials (${what}): check RILL_S3_ACCESS_KEY_ID, RILL_S3_SECRET_ACCESS_KEY, RILL_S3_REGION, their right to write, and this machine's clock`,
    };
  }
  if (status >= 500 || status === 408 || status === 429) {
    return { reason: 'unavailable', detail: `${where} answered ${what}` };
  }
  return { reason: 'refused', detail: `${where} answered ${what}` };
}
