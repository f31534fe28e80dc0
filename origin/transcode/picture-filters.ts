/** What is done to a decoded picture before it is scaled. */

import type { PictureTreatment } from './planned-rendition.ts';

const TURNS: Readonly<Record<PictureTreatment['rotate'], readonly string[]>> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/**
 * ffmpeg's filters for a treatment. Pictures of one stream may be interlaced or not, as each says itself:
 * `deint=interlaced` lets the progressive ones pass. The filter looks one picture ahead, so it is left out of streams
 * that cannot be interlaced.
 */
export function pictureFilters({ deinterlace, rotate }: PictureTreatment): readonly string[] {
  const mode = deinterlace === 'fields' ? 'send_field' : 'send_frame';
  return [
    ...(deinterlace === undefined ? [] : [`bwdif=mode=${mode}:parity=auto:deint=interlaced`]),
    ...TURNS[rotate],
  ];
}
