import { expect, it } from 'vitest';
import { EndWatch, type EndLook } from './end-watch.ts';

const AT_THE_END: EndLook = { live: false, edge: 20, currentTime: 19.9, paused: false };

function looks(watch: EndWatch, look: EndLook, count: number): boolean {
  return Array.from({ length: count }, () => watch.hasEnded(look)).some(Boolean);
}

it('takes a picture that stands at the end of an ended stream for the end', () => {
  expect(looks(new EndWatch(), AT_THE_END, 4)).toBe(true);
});

it.each([
  ['the stream is live', { ...AT_THE_END, live: true }],
  ['the viewer has paused', { ...AT_THE_END, paused: true }],
  ['the picture stands before the end', { ...AT_THE_END, currentTime: 12 }],
])('does not while %s', (_case, look) => {
  expect(looks(new EndWatch(), look, 10)).toBe(false);
});

it('does not while the picture moves', () => {
  const watch = new EndWatch();
  const times = [19.6, 19.7, 19.8, 19.9, 20];
  expect(times.some((currentTime) => watch.hasEnded({ ...AT_THE_END, currentTime }))).toBe(false);
});
