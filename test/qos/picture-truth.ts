/** What was really to be seen: figures from recorded pictures, which measured ones are held against. */

import { expect } from 'vitest';
import { decodeStamps } from '../support/decode-stamps.ts';
import { fetchMedia, fetchPlaylist, fetchVariants } from '../support/live-client.ts';
import { standstills, type ShownPicture } from '../support/picture-recorder.ts';

/** A picture that stands longer was a stall; below, a busy machine may show a frame late. */
const STANDSTILL_MS = 250;
/** The publisher's. */
const FRAME_RATE = 30;
/** Agreement that is asked for: the greater of the two. */
const TOLERANCE = { share: 0.05, ms: 100 };

/** Time for which the picture stood still for at least so long, milliseconds, without that of the picture's own. */
export function stoodStill(pictures: readonly ShownPicture[], atLeastMs: number = STANDSTILL_MS): number {
  return standstills(pictures, atLeastMs).reduce((total, { ms }) => total + ms - 1000 / FRAME_RATE, 0);
}

/**
 * The EXT-X-PROGRAM-DATE-TIME of each picture by the clock in it, from the playlist and the media alone: the clock
 * names the picture, however late the encoder took it.
 */
export async function pictureDates(multivariant: string): Promise<ReadonlyMap<number, number>> {
  const [variant = ''] = (await fetchVariants(multivariant)).variants;
  const { text, init = '', segments } = await fetchPlaylist(variant);
  const first = Date.parse(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m.exec(text)?.[1] ?? '');
  const media = await Promise.all(
    [init, ...segments.map(({ uri }) => uri)].map((uri) => fetchMedia(variant, uri)),
  );
  const { stamps } = await decodeStamps(Buffer.concat(media), Date.now());
  return new Map(stamps.map((stamp, index) => [stamp ?? 0, first + (index * 1000) / FRAME_RATE]));
}

/** Expects that what was told agrees with what was seen, both in milliseconds. */
export function expectAgreement(what: string, told: number | undefined, seen: number): void {
  const allowed = Math.max(TOLERANCE.ms, seen * TOLERANCE.share);
  expect(told, `${what}: the picture says ${seen}`).toBeGreaterThanOrEqual(seen - allowed);
  expect(told, `${what}: the picture says ${seen}`).toBeLessThanOrEqual(seen + allowed);
}

/** The median. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
