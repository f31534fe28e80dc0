/** Media from object storage: everything that is no longer hot at the hub. */

import { objectKey, type MediaFile } from '../../shared/identifiers.ts';
import { partIndex } from '../../shared/media-time.ts';
import type { MediaResource } from '../resource.ts';
import type { MediaBucket, MediaObject } from './s3-bucket.ts';

/** Longest wait for object storage to begin its answer, milliseconds: well over R2's slowest percentile. */
const STORAGE_TIMEOUT_MS = 10_000;

/** Most parts that are joined: as many requests as one invocation may make with room to spare. */
const MAX_JOINED_PARTS = 100;

/** Bytes found in object storage. */
export interface StoredMedia {
  readonly body: ReadableStream | Uint8Array<ArrayBuffer>;
  /** Bytes. */
  readonly size: number;
}

/** Opens an object, or tells with `undefined` that there is none; throws when storage fails or is late. */
export async function openStoredMedia(
  bucket: MediaBucket,
  resource: MediaResource,
): Promise<StoredMedia | undefined> {
  const object = await getObject(bucket, resource, resource.file);
  return object === null ? undefined : { body: object.body, size: object.size };
}

/**
 * Joins the parts of a segment that is not stored whole (yet): a segment's bytes are those of its parts in order,
 * rfc8216bis §6.2.1. `undefined` unless all `count` parts are there.
 */
export async function joinStoredParts(
  bucket: MediaBucket,
  resource: MediaResource,
  count: number,
): Promise<StoredMedia | undefined> {
  const { file } = resource;
  if (file.kind !== 'segment' || count < 1 || count > MAX_JOINED_PARTS) {
    return undefined;
  }
  const objects = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      getObject(bucket, resource, { ...file, kind: 'part', part: partIndex(index) }),
    ),
  );
  const parts: Uint8Array[] = [];
  for (const object of objects) {
    if (object === null) {
      return undefined;
    }
    parts.push(new Uint8Array(await object.arrayBuffer()));
  }
  const body = concatenate(parts);
  return { body, size: body.length };
}

async function getObject(
  bucket: MediaBucket,
  resource: MediaResource,
  file: MediaFile,
): Promise<MediaObject | null> {
  const key = objectKey(resource.stream, resource.rendition, file);
  return within(STORAGE_TIMEOUT_MS, bucket.get(key));
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Awaits a promise no longer than `milliseconds`; throws a `TimeoutError` after that. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new DOMException(`object storage did not answer within ${milliseconds} ms`, 'TimeoutError'));
  }, milliseconds);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
