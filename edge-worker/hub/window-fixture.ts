/** Builders of updates for the hub's tests. */

import { parseMediaFileName, type MediaFile } from '#shared/identifiers.ts';
import type { PublishFrame, PublishUpdate } from '#shared/wire/publish.ts';
import type { LiveWindow, RenditionWindow } from './live-window.ts';
import { renderWholePlaylist } from './playlist-text.ts';
import { takeUpdate } from './take-update.ts';

/** An update without its number. */
export type Unnumbered = PublishUpdate extends infer U
  ? U extends PublishUpdate
    ? Omit<U, 'seq'>
    : never
  : never;

/** Numbers updates from `seq` on and gives each that needs one a payload. */
export function framesOf(updates: readonly Unnumbered[], seq: number): PublishFrame[] {
  return updates.map((update, index) => {
    // oxlint-disable-next-line typescript/consistent-type-assertions
    const numbered = { ...update, seq: seq + index } as PublishUpdate;
    return { update: numbered, payload: payloadOf(numbered) };
  });
}

/** Bytes by which a test recognises the update that they came with. */
function payloadOf(update: PublishUpdate): Uint8Array {
  switch (update.kind) {
    case 'init':
      return new TextEncoder().encode(`init ${update.rendition}`);
    case 'part':
      return new TextEncoder().encode(`<${update.rendition} ${update.msn}.${update.part}>`);
    case 'begin':
    case 'segment':
    case 'gap':
    case 'end':
      return new Uint8Array();
  }
}

/** A begin with a video rendition `v` and an audio rendition `a`, 2 s segments and 1 s parts. */
export function begin(firstMsn = 0, names: readonly string[] = ['v', 'a']): Unnumbered {
  return {
    kind: 'begin',
    firstMsn,
    targetDuration: 2,
    partTarget: 1,
    windowSegments: 10,
    renditions: names.map((name) =>
      name === 'a'
        ? { kind: 'audio', name, codecs: 'mp4a.40.2', sampleRate: 48_000, channels: 2, bandwidth: 128_000 }
        : {
            kind: 'video',
            name,
            codecs: 'avc1.64001f',
            width: 1280,
            height: 720,
            frameRate: 30,
            bandwidth: 1_000_000,
          },
    ),
  };
}

/** An init segment. */
export function init(rendition: string): Unnumbered {
  return { kind: 'init', rendition };
}

/** A part of one second. */
export function part(rendition: string, msn: number, index: number): Unnumbered {
  return {
    kind: 'part',
    rendition,
    msn,
    part: index,
    duration: 1,
    independent: index === 0,
    programDateTime: 1_700_000_000_000 + msn * 2000 + index * 1000,
  };
}

/** A whole segment of two parts. */
export function segment(rendition: string, msn: number): Unnumbered[] {
  return [part(rendition, msn, 0), part(rendition, msn, 1), { kind: 'segment', rendition, msn, parts: 2 }];
}

/** Whole segments of `v` and `a`, from `first` up to and without `end`. */
export function segments(first: number, end: number): Unnumbered[] {
  const all: Unnumbered[] = [];
  for (let msn = first; msn < end; msn += 1) {
    all.push(...segment('v', msn), ...segment('a', msn));
  }
  return all;
}

/** Takes updates that must all be taken. */
export function take(
  window: LiveWindow | undefined,
  epoch: number,
  updates: readonly Unnumbered[],
): LiveWindow {
  let now = window;
  const seq = window?.epoch === epoch ? window.nextSeq : 0;
  for (const { update, payload } of framesOf(updates, seq)) {
    const step = takeUpdate(now, epoch, update, payload.length);
    if (step.kind !== 'taken') {
      throw new Error(`not taken: ${JSON.stringify({ update, step })}`);
    }
    now = step.window;
  }
  if (now === undefined) {
    throw new Error('nothing to take');
  }
  return now;
}

/** What every test of a window with `v` and `a` begins with. */
export const START: readonly Unnumbered[] = [begin(), init('v'), init('a')];

/** A rendition that must be there. */
export function renditionOf(window: LiveWindow, name: string): RenditionWindow {
  const rendition = window.renditions.get(name);
  if (rendition === undefined) {
    throw new Error(`no rendition ${name}`);
  }
  return rendition;
}

/** The text of a rendition's media playlist. */
export function textOf(window: LiveWindow, name: string): string {
  return renderWholePlaylist(window, renditionOf(window, name));
}

/** A media file by its name. */
export function file(name: string): MediaFile {
  const parsed = parseMediaFileName(name);
  if (parsed === undefined) {
    throw new Error(`no media file ${name}`);
  }
  return parsed;
}
