/** The live picture of one stream at a time: muted, the smallest rendition, and ended when it is closed. */

import HlsJs, { Events } from 'hls.js';
import { AskError, askPictureToken } from './ask.ts';
import { find } from './element.ts';

/** The one rendition that is loaded: hls.js sorts them by bit rate. */
const SMALLEST = 0;
const BUFFER_SECONDS = 4;

let player: HlsJs | undefined;

/** Opens the picture of a stream in place of the one that is open. */
export async function openPicture(stream: string): Promise<void> {
  closePicture();
  const figure = find('picture', HTMLElement);
  const state = find('picture-state', HTMLElement);
  const video = figure.querySelector('video');
  figure.hidden = false;
  state.textContent = `Live picture of ${stream} …`;
  try {
    const token = await askPictureToken(stream);
    if (video === null || figure.hidden) {
      return;
    }
    video.setAttribute('aria-label', `Live picture of ${stream}`);
    const hls = new HlsJs({ startLevel: SMALLEST, maxBufferLength: BUFFER_SECONDS });
    hls.autoLevelCapping = SMALLEST;
    player = hls;
    hls.on(Events.ERROR, (_event, error) => {
      if (error.fatal) {
        state.textContent = `There is no picture of ${stream} at present.`;
        hls.stopLoad();
      }
    });
    hls.loadSource(`/t/${token}/live/${stream}/index.m3u8`);
    hls.attachMedia(video);
    video.addEventListener('playing', () => (state.textContent = `Live picture of ${stream}`), {
      once: true,
    });
    await video.play().catch(() => undefined);
  } catch (error) {
    state.textContent = error instanceof AskError ? `No picture: ${error.message}` : 'No picture.';
  }
}

/** Ends playback; nothing is loaded any more. */
export function closePicture(): void {
  player?.destroy();
  player = undefined;
  find('picture', HTMLElement).hidden = true;
}
