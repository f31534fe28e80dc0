/** Signed requests to one bucket, and what its answers mean. */

import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { fail, ok, type Result } from '#shared/result.ts';
import { HttpError, type HttpAnswer, type HttpRequest, type HttpSend } from './http-client.ts';

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

/** A request to the bucket, or to an object in it. */
export interface BucketRequest {
  readonly method: HttpRequest['method'];
  /** Key of an object; `''` for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** True where 404 is an answer: `undefined`. */
  readonly mayBeAbsent?: boolean;
}

/** Sends a request; an answer of 2xx, `undefined` for an object that is not there, or why there is none. */
export type SendToBucket = (
  request: BucketRequest,
) => Promise<Result<HttpAnswer | undefined, ObjectStoreFailure>>;

/** Time for a request, milliseconds, plus a second for each MiB of its body. */
const REQUEST_MS = 10_000;
/** A body byte's share of time: 1 MiB a second is the slowest path that is put up with. */
const BYTES_PER_EXTRA_MS = 1024;
/** Largest object that is read back, bytes: a ten-second segment at 100 Mbit/s. */
const MAX_OBJECT_BYTES = 128 * 1024 * 1024;
/** No matter how often it is asked. */
const NOT_IMPLEMENTED = 501;
/** Clocks this far apart are told and made up for, milliseconds; S3 refuses signatures from 15 minutes on. */
const MAX_SKEW_MS = 5 * 60_000;

/** Opens the way to a bucket; nothing is sent yet. */
export function openBucket(settings: ObjectStoreSettings, send: HttpSend): SendToBucket {
  /** What storage's clock is ahead of ours, as far as it matters. */
  let skewMs = 0;
  return async (request) => {
    try {
      const answer = await sendSigned({ settings, send, request, signedAt: Date.now() + skewMs });
      if (answer.status >= 200 && answer.status < 300) {
        return ok(answer);
      }
      const code = errorCodeOf(answer.body);
      if (answer.status === 404 && code !== 'NoSuchBucket' && request.mayBeAbsent === true) {
        return ok(undefined);
      }
      if (answer.status === 403) {
        skewMs = skewOf(answer);
      }
      return fail(failureOf(settings, answer.status, code, skewMs));
    } catch (error) {
      if (error instanceof HttpError) {
        return fail({ reason: 'unreachable', detail: `object storage: ${error.message} (RILL_S3_ENDPOINT)` });
      }
      throw error;
    }
  };
}

async function sendSigned(input: {
  readonly settings: ObjectStoreSettings;
  readonly send: HttpSend;
  readonly request: BucketRequest;
  readonly signedAt: number;
}): Promise<HttpAnswer> {
  const { settings, request } = input;
  const { method, body, signal } = request;
  // The signer's default is UNSIGNED-PAYLOAD, which the local R2 and strict bucket policies refuse.
  const hash = createHash('sha256')
    .update(body ?? '')
    .digest('hex');
  const signed = await new AwsV4Signer({
    method,
    url: urlOf(settings, request),
    headers: { 'x-amz-content-sha256': hash, ...request.headers },
    accessKeyId: settings.accessKeyId,
    secretAccessKey: settings.secretAccessKey,
    region: settings.region,
    service: 's3',
    datetime: new Date(input.signedAt).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  }).sign();
  return await input.send({
    method,
    url: signed.url,
    headers: Object.fromEntries(signed.headers),
    timeoutMs: REQUEST_MS + (body?.length ?? 0) / BYTES_PER_EXTRA_MS,
    maxAnswerBytes: MAX_OBJECT_BYTES,
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function urlOf(settings: ObjectStoreSettings, { key, query }: BucketRequest): string {
  const folder = `${settings.endpoint.href.replace(/\/+$/, '')}/${settings.bucket}`;
  const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
  return `${folder}${key === '' ? '' : `/${key}`}${search}`;
}

/** The `Code` of an S3 error document, `''` where there is none; it is short, and the rest may be hostile. */
function errorCodeOf(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1] ?? '';
}

/** Milliseconds that a server's clock is ahead of ours; 0 while they agree well enough or it does not say. */
function skewOf(answer: HttpAnswer): number {
  const theirs = Date.parse(answer.headers.date ?? '');
  const skew = theirs - Date.now();
  return Number.isFinite(skew) && Math.abs(skew) > MAX_SKEW_MS ? skew : 0;
}

function failureOf(
  settings: ObjectStoreSettings,
  status: number,
  code: string,
  skewMs: number,
): ObjectStoreFailure {
  const where = `object storage at ${settings.endpoint.origin}, bucket "${settings.bucket}"`;
  const what = code === '' ? String(status) : `${status} ${code}`;
  if (status === 404) {
    return {
      reason: 'no-such-bucket',
      detail: `${where}: no such bucket (${what}); create it or correct RILL_S3_BUCKET`,
    };
  }
  if (status === 403 && skewMs !== 0) {
    const detail = `${where}: this machine's clock is ${Math.round(-skewMs / 1000)} s ahead of it (${what}): set the clock; requests are signed with storage's time until then`;
    return { reason: 'denied', detail };
  }
  if (status === 401 || status === 403) {
    return {
      reason: 'denied',
      detail: `${where} refused the credentials (${what}): check RILL_S3_ACCESS_KEY_ID, RILL_S3_SECRET_ACCESS_KEY, RILL_S3_REGION, their right to write, and this machine's clock`,
    };
  }
  if ((status >= 500 && status !== NOT_IMPLEMENTED) || status === 408 || status === 429) {
    return { reason: 'unavailable', detail: `${where} answered ${what}` };
  }
  return { reason: 'refused', detail: `${where} answered ${what}` };
}
