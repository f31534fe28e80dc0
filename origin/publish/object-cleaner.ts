/** Lists and deletes objects of a bucket: what retention needs, and nothing else does. */

import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '#shared/result.ts';
import type { HttpSend } from './http-client.ts';
import {
  openBucket,
  type ObjectStoreFailure,
  type ObjectStoreSettings,
  type SendToBucket,
} from './s3-request.ts';

/** An object as a listing names it. */
export interface ListedObject {
  readonly key: string;
  /** When it was written by storage's clock, Unix milliseconds. */
  readonly modifiedAt: number;
}

/** A piece of a listing, in the order of the keys' bytes. */
export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  /** Where the next piece begins; `undefined` at the end. */
  readonly next: string | undefined;
  /** Storage's own time, Unix milliseconds; `undefined` where it does not say. */
  readonly now: number | undefined;
}

/** The part of a bucket that lists and deletes. */
export interface ObjectCleaner {
  list(prefix: string, from: string | undefined): Promise<Result<ObjectPage, ObjectStoreFailure>>;
  /** Deletes up to {@link MAX_DELETE_KEYS} objects; one that is not there is deleted. Resolves with those that remain. */
  remove(keys: readonly string[]): Promise<Result<readonly string[], ObjectStoreFailure>>;
}

/** Most keys of a DeleteObjects request, as S3 has it. */
export const MAX_DELETE_KEYS = 1000;
/** Keys of media need no escape in XML; what needs one is nothing that retention would delete. */
const PLAIN_KEY = /^[A-Za-z0-9/._-]{1,1024}$/;

/** Opens a bucket for cleaning; nothing is sent yet. */
export function openObjectCleaner(settings: ObjectStoreSettings, send: HttpSend): ObjectCleaner {
  const request = openBucket(settings, send);
  /** Some stores have no DeleteObjects; once one has said so it is not asked again. */
  let inBatches = true;
  return {
    list: (prefix, from) => listPage(request, prefix, from),
    async remove(keys) {
      if (inBatches) {
        const removed = await removeBatch(request, keys);
        if (removed.ok || removed.failure.reason !== 'refused') {
          return removed;
        }
        inBatches = false;
      }
      return removeEach(request, keys);
    },
  };
}

async function listPage(
  request: SendToBucket,
  prefix: string,
  from: string | undefined,
): Promise<Result<ObjectPage, ObjectStoreFailure>> {
  const token = from === undefined ? {} : { 'continuation-token': from };
  const answer = await request({ method: 'GET', key: '', query: { 'list-type': '2', prefix, ...token } });
  if (!answer.ok) {
    return answer;
  }
  const text = new TextDecoder().decode(answer.value?.body);
  const now = Date.parse(answer.value?.headers.date ?? '');
  const next = textOf(text, 'NextContinuationToken');
  return ok({
    objects: Array.from(text.matchAll(/<Contents>([^]*?)<\/Contents>/g)).flatMap(([, item = '']) =>
      listed(item),
    ),
    next: next === undefined ? undefined : unescapeXml(next),
    now: Number.isNaN(now) ? undefined : now,
  });
}

function listed(item: string): readonly ListedObject[] {
  const key = textOf(item, 'Key') ?? '';
  const modifiedAt = Date.parse(textOf(item, 'LastModified') ?? '');
  return PLAIN_KEY.test(key) && !Number.isNaN(modifiedAt) ? [{ key, modifiedAt }] : [];
}

async function removeBatch(
  request: SendToBucket,
  keys: readonly string[],
): Promise<Result<readonly string[], ObjectStoreFailure>> {
  const items = keys.filter((key) => PLAIN_KEY.test(key)).map((key) => `<Object><Key>${key}</Key></Object>`);
  const body = Buffer.from(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${items.join('')}</Delete>`,
  );
  const headers = {
    'content-type': 'application/xml',
    'content-md5': createHash('md5').update(body).digest('base64'),
  };
  const answer = await request({ method: 'POST', key: '', query: { delete: '' }, headers, body });
  if (!answer.ok) {
    return answer;
  }
  const text = new TextDecoder().decode(answer.value?.body);
  const failed = Array.from(text.matchAll(/<Error>([^]*?)<\/Error>/g));
  return ok(failed.flatMap(([, item = '']) => textOf(item, 'Key') ?? []));
}

async function removeEach(
  request: SendToBucket,
  keys: readonly string[],
): Promise<Result<readonly string[], ObjectStoreFailure>> {
  for (const key of keys) {
    const answer = await request({ method: 'DELETE', key, mayBeAbsent: true });
    if (!answer.ok) {
      return fail(answer.failure);
    }
  }
  return ok([]);
}

function textOf(xml: string, element: string): string | undefined {
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
}

function unescapeXml(text: string): string {
  const entities: ReadonlyMap<string, string> = new Map([
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['apos', "'"],
    ['amp', '&'],
  ]);
  return text.replace(/&(\w+);/g, (whole, name: string) => entities.get(name) ?? whole);
}
