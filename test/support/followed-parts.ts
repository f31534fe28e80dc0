/** What tests of a take-over ask of the parts that a client has followed. */

import { expect } from 'vitest';
import type { DownloadedPart } from './live-client.ts';

/** Each part follows the one before: the next of its segment, or the first of the next segment. */
export function expectOneAfterTheOther(parts: readonly DownloadedPart[]): void {
  for (const [index, { msn, part }] of parts.entries()) {
    const before = parts[index - 1];
    if (before !== undefined) {
      const expected =
        part === 0 ? { msn: before.msn + 1, part: 0 } : { msn: before.msn, part: before.part + 1 };
      expect({ msn, part }).toEqual(expected);
    }
  }
}

/** The longest time between two downloads, milliseconds. */
export function longestWait(parts: readonly DownloadedPart[]): number {
  return Math.max(
    ...parts.map(
      ({ downloadedAt }, index) => downloadedAt - (parts[index - 1]?.downloadedAt ?? downloadedAt),
    ),
  );
}
