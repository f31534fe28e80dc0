/** Sound: browsers start a page's video muted, so the viewer is offered to turn it on. */

import { element } from './view.ts';

/** Offers a button while the video plays muted; the video's own controls keep working. */
export function offerSound(video: HTMLVideoElement): void {
  const button = element('unmute', HTMLButtonElement);
  const update = (): void => {
    button.hidden = !video.muted || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
  };
  button.addEventListener('click', () => {
    video.muted = false;
    video.focus();
  });
  video.addEventListener('volumechange', update);
  video.addEventListener('loadeddata', update);
  video.addEventListener('emptied', update);
  update();
}
