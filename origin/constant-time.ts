/** Comparison of secrets that takes the same time wherever they differ. */

import { createHash, timingSafeEqual } from 'node:crypto';

/** True when both texts are equal; digests of equal length are compared, so that length does not show either. */
export function equalInConstantTime(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
