/** What this edge's memory holds, for a request that finds it there. */

import type { Delivered } from '../delivered.ts';
import { cacheStatus } from './answer-cache.ts';
import type { Answer } from './answer-store.ts';

/** An answer in this edge's memory, and how a request came by it. */
export interface Kept {
  readonly answer: Answer;
  /** Whole seconds for which it has lain there; `undefined` where the request waited for it. */
  readonly age: number | undefined;
  /** In `Cache-Status`, RFC 9211: the words after the cache's name. */
  readonly how: string;
}

/** A kept answer as delivery would give it. */
export function fromKept({ answer, age, how }: Kept): Delivered {
  const { status, headers, body } = answer;
  const aged = age === undefined ? {} : { age: String(age) };
  return { status, headers: { ...headers, ...aged, ...cacheStatus(how) }, body };
}
