/**
 * Object storage over the S3 API (R2, S3, SeaweedFS, Garage), path style, requests signed with AWS Signature
 * Version 4 including the payload's hash.
 */

import { ok, type Result } from '#shared/result.ts';
import type { HttpAnswer, HttpSend } from './http-client.ts';
import { openBucket, type ObjectStoreFailure, type ObjectStoreSettings } from './s3-request.ts';

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
/** Written by {@link ObjectStore.check}; outside `live/`, where no player looks. */
const CHECK_KEY = 'rill-check';
const CHECK_BYTES = new TextEncoder().encode('written by a Rill origin when it starts\n');

/** Opens a bucket; nothing is sent yet. */
export function openObjectStore(settings: ObjectStoreSettings, send: HttpSend): ObjectStore {
  const request = openBucket(settings, send);
  const put: ObjectStore['put'] = async (key, bytes, contentType, signal) => {
    const headers = { 'content-type': contentType, 'cache-control': IMMUTABLE };
    const answer = await request({ method: 'PUT', key, headers, body: bytes, signal });
    return answer.ok ? ok(undefined) : answer;
  };
  return {
    put,
    async get(key) {
      const answer = await request({ method: 'GET', key, mayBeAbsent: true });
      return answer.ok ? ok(answer.value?.body) : answer;
    },
    async head(key) {
      const answer = await request({ method: 'HEAD', key, mayBeAbsent: true });
      return answer.ok ? ok(answer.value && describe(answer.value)) : answer;
    },
    check: () => put(CHECK_KEY, CHECK_BYTES, 'text/plain'),
  };
}

function describe(answer: HttpAnswer): ObjectDescription {
  return {
    size: Number(answer.headers['content-length'] ?? 0),
    contentType: answer.headers['content-type'],
    cacheControl: answer.headers['cache-control'],
  };
}
