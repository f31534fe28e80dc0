/** What a held request waits for. */

import type { MediaFile } from '#shared/identifiers.ts';
import type { LiveWindow } from './live-window.ts';
import { locateMedia } from './locate-media.ts';
import { decideReload } from './reload.ts';

/** A playlist that has come so far, or a media file that is hinted. */
export type HeldFor =
  | {
      readonly kind: 'reload';
      readonly rendition: string;
      readonly msn: number | undefined;
      readonly part: number | undefined;
    }
  | { readonly kind: 'media'; readonly rendition: string; readonly file: MediaFile };

/** Whether a window leaves a request waiting. */
export function mustWait(window: LiveWindow, request: HeldFor): boolean {
  return request.kind === 'media'
    ? locateMedia(window, request.rendition, request.file) === 'hinted'
    : decideReload(window, request.rendition, request).kind === 'hold';
}
