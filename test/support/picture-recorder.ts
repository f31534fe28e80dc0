/** Records every picture that a page's video shows, with the wall clock in it: what a viewer saw, and when. */

import type { Page } from 'playwright-core';
import { readStamp } from './wall-clock-stamp.ts';

/** A picture on screen. */
export interface ShownPicture {
  /** When it came on screen, Unix milliseconds. */
  readonly at: number;
  /** The clock in it, Unix milliseconds; `undefined` where it has none. */
  readonly stamp: number | undefined;
}

/** Two samples across each of the stamp's twenty columns. */
const CANVAS = { width: 40, height: 22 };

/** Begins to record the page's video; it must be there already. */
export async function recordPictures(page: Page): Promise<() => Promise<readonly ShownPicture[]>> {
  const recording = await page.evaluateHandle(({ width, height }) => {
    const video = document.querySelector('video');
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (video === null || context === null) {
      throw new Error('the page has no video, or the browser no canvas');
    }
    const shown: { at: number; luma: number[] }[] = [];
    const look: VideoFrameRequestCallback = (_now, { presentationTime }) => {
      context.drawImage(video, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, 4);
      const luma = Array.from({ length: width * 4 }, (_, index) => data[index * 4 + 1] ?? 0);
      shown.push({ at: presentationTime + performance.timeOrigin, luma });
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    return shown;
  }, CANVAS);
  return async () => {
    const shown = await recording.jsonValue();
    return shown.map(({ at, luma }) => {
      const plane = { data: Uint8Array.from(luma), ...CANVAS, stride: CANVAS.width };
      return { at, stamp: readStamp(plane, at) };
    });
  };
}

/** How long the picture stood still between two pictures, where that is at least `atLeastMs`. */
export function standstills(
  pictures: readonly ShownPicture[],
  atLeastMs: number,
): readonly { readonly from: number; readonly ms: number }[] {
  const found: { from: number; ms: number }[] = [];
  for (const [index, picture] of pictures.entries()) {
    const before = pictures[index - 1];
    if (before !== undefined && picture.at - before.at >= atLeastMs) {
      found.push({ from: before.at, ms: picture.at - before.at });
    }
  }
  return found;
}
