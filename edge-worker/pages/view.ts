/** The page's elements: what the viewer reads, written in one place. */

import { formatRendition, formatSeconds, type Measurement } from './measurement.ts';

/** What the badge beside the stream's name says. */
export type BadgeState = 'waiting' | 'live' | 'ended' | 'refused';

const BADGES: Readonly<Record<BadgeState, string>> = {
  waiting: 'Waiting',
  live: 'Live',
  ended: 'Ended',
  refused: 'Not available',
};

/** Finds an element of the page; throws where the page does not have it. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new TypeError(`the page has no ${type.name} #${id}`);
  }
  return found;
}

/** Names the stream in heading, title and the video's label. */
export function showStream(video: HTMLVideoElement, stream: string): void {
  element('stream', HTMLElement).textContent = stream;
  document.title = `${stream} · Rill`;
  video.setAttribute('aria-label', `Live video of ${stream}`);
}

/** Offers the video's controls only while there is something to control. */
export function followControls(video: HTMLVideoElement): void {
  const update = (): void => {
    video.controls = video.readyState >= HTMLMediaElement.HAVE_METADATA;
  };
  video.addEventListener('loadedmetadata', update);
  video.addEventListener('emptied', update);
  update();
}

/** Shows a message over the picture and the state in the badge; no message uncovers the picture. */
export function showState(state: BadgeState, message: string | undefined): void {
  const badge = element('badge', HTMLElement);
  badge.textContent = BADGES[state];
  badge.dataset['state'] = state;
  const box = element('message', HTMLElement);
  box.hidden = message === undefined;
  if (box.textContent !== (message ?? '')) {
    box.textContent = message ?? '';
  }
}

/** Writes the figures; `data-value` has them for programs, without rounding or unit. */
export function showMeasurement(measurement: Measurement): void {
  const { latency, buffer, rendition, droppedFrames, stalls } = measurement;
  write('latency', formatSeconds(latency), latency);
  write('buffer', formatSeconds(buffer), buffer);
  write('rendition', formatRendition(rendition), rendition?.height);
  write('dropped', droppedFrames === undefined ? '–' : String(droppedFrames), droppedFrames);
  write('stalls', String(stalls), stalls);
}

function write(id: string, text: string, value: number | undefined): void {
  const target = element(id, HTMLElement);
  target.textContent = text;
  target.dataset['value'] = value === undefined ? '' : String(value);
}
