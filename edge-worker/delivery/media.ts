/** Init segments, segments and parts: from the hub while hot, else from object storage. */

import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { LOOKUP_HEADER, PARTS_HEADER } from '../hub/hub-headers.ts';
import { liveResourcePath, type MediaResource } from '../resource.ts';
import { mediaFileName } from '../../shared/identifiers.ts';
import { cacheControl } from './cache-policy.ts';
import { askHub, discard } from './hub-client.ts';
import { SERVED_BY_HEADER, type ServedBy } from './served-by.ts';
import { mediaBucket } from './s3-bucket.ts';
import { joinStoredParts, openStoredMedia } from './storage.ts';

type HotMedia =
  | { readonly kind: 'found'; readonly answer: Response }
  | { readonly kind: 'absent' }
  | { readonly kind: 'ask-storage'; readonly parts: number }
  | { readonly kind: 'failed'; readonly cause: string };

/** Answers with the bytes of a media file. While the hub is away storage is asked, since it has what is older. */
export async function deliverMedia(resource: MediaResource, env: Env): Promise<Response> {
  const hot = await findHotMedia(resource, env.HUB);
  if (hot.kind === 'found') {
    return hotAnswer(resource, hot.answer);
  }
  if (hot.kind === 'absent') {
    return absent();
  }
  const parts = hot.kind === 'ask-storage' ? hot.parts : 0;
  const bucket = mediaBucket(env);
  const stored =
    (await openStoredMedia(bucket, resource)) ?? (await joinStoredParts(bucket, resource, parts));
  if (stored !== undefined) {
    return mediaAnswer(resource, stored.body, { length: stored.size, servedBy: 'storage' });
  }
  if (hot.kind === 'failed') {
    throw new Error(`hub failed and object storage has no copy: ${hot.cause}`);
  }
  return absent();
}

async function findHotMedia(resource: MediaResource, hubs: Env['HUB']): Promise<HotMedia> {
  try {
    const pathAndQuery = liveResourcePath(resource);
    const answer = await askHub(hubs, { stream: resource.stream, pathAndQuery, mayBeHeld: true });
    if (answer.status === 200) {
      return { kind: 'found', answer };
    }
    await discard(answer);
    if (answer.status !== 404) {
      return { kind: 'failed', cause: `status ${answer.status}` };
    }
    return answer.headers.get(LOOKUP_HEADER) === 'storage'
      ? { kind: 'ask-storage', parts: Number(answer.headers.get(PARTS_HEADER)) }
      : { kind: 'absent' };
  } catch (error) {
    const cause = describeError(error);
    logEvent('warn', 'hub-failed', { stream: resource.stream, cause });
    return { kind: 'failed', cause };
  }
}

/** The length has to be known for ranges and HEAD; where the hub does not tell, a part is small enough to hold. */
async function hotAnswer(resource: MediaResource, answer: Response): Promise<Response> {
  const length = answer.headers.get('content-length');
  if (length !== null) {
    return mediaAnswer(resource, answer.body, { length: Number(length), servedBy: 'hub' });
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return mediaAnswer(resource, bytes, { length: bytes.byteLength, servedBy: 'hub' });
}

function mediaAnswer(
  resource: MediaResource,
  body: ReadableStream | Uint8Array<ArrayBuffer> | null,
  of: { readonly length: number; readonly servedBy: ServedBy },
): Response {
  return new Response(body, {
    headers: {
      'content-type': 'video/mp4',
      'cache-control': cacheControl({ kind: 'media' }),
      'content-length': String(of.length),
      [SERVED_BY_HEADER]: of.servedBy,
      // The name is never used for other bytes, so it is the validator, alike from hub and storage.
      etag: `"${resource.rendition}/${mediaFileName(resource.file)}"`,
      'accept-ranges': 'bytes',
    },
  });
}

function absent(): Response {
  return errorAnswer(404, 'no-such-media', {
    headers: { 'cache-control': cacheControl({ kind: 'refusal' }) },
  });
}
