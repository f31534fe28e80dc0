/** Takes one published update into the live window: the sequence rules of `shared/wire/publish.ts`. */

import type { PublishAnswer, PublishUpdate } from '#shared/wire/publish.ts';
import { beginEpoch, closeEpoch } from './begin-epoch.ts';
import {
  appendSegment,
  completeSegment,
  nextMsnOf,
  MICROS,
  type BeginUpdate,
  type LiveWindow,
  type OpenSegment,
  type RenditionWindow,
} from './live-window.ts';
import { lastSegment } from './segment-list.ts';

/** Most parts of one segment: a segment of 60 s in parts of 50 ms has 1,200. */
const MAX_PARTS = 2_000;
/** Largest init segment, bytes: parameter sets need a few kilobytes, a row of the object's SQLite holds 2 MB. */
const MAX_INIT_BYTES = 1024 * 1024;
/** Latest date that EXT-X-PROGRAM-DATE-TIME can write with four digits of year, Unix milliseconds. */
const MAX_DATE = 253_402_300_799_999;
const NO_DATE = 'programDateTime is no date between the years 1970 and 9999';
/** RFC 6381 codec strings hold nothing that would break out of a quoted-string. */
const CODECS = /^[A-Za-z0-9._, +-]+$/;

/** What became of an update. */
export type Step =
  | { readonly kind: 'taken'; readonly window: LiveWindow }
  /** It was taken before. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refused'; readonly answer: PublishAnswer };

type Update<K extends PublishUpdate['kind']> = Extract<PublishUpdate, { kind: K }>;

/** Takes an update of `epoch` whose payload has `bytes` bytes. */
export function takeUpdate(
  window: LiveWindow | undefined,
  epoch: number,
  update: PublishUpdate,
  bytes: number,
): Step {
  if (window !== undefined && epoch < window.epoch) {
    return stale(window);
  }
  if (window === undefined || epoch > window.epoch) {
    return update.kind === 'begin' ? takeBegin(window, epoch, update) : expecting(update, 0);
  }
  if (update.seq < window.nextSeq) {
    return update.kind === 'begin' && !sameBegin(update, window.begin) ? stale(window) : { kind: 'repeat' };
  }
  if (update.seq > window.nextSeq) {
    return expecting(update, window.nextSeq);
  }
  if (window.ended) {
    return invalid('the epoch has ended; begin a new one');
  }
  return takeNext({ ...window, nextSeq: window.nextSeq + 1 }, update, bytes);
}

function takeNext(window: LiveWindow, update: PublishUpdate, bytes: number): Step {
  switch (update.kind) {
    case 'begin':
      return invalid('begin is always update 0');
    case 'init':
      return takeInit(window, update, bytes);
    case 'part':
      return takePart(window, update, bytes);
    case 'segment':
      return takeSegment(window, update);
    case 'gap':
      return takeGap(window, update);
    case 'end':
      return { kind: 'taken', window: { ...closeEpoch(window), ended: true } };
  }
}

function takeBegin(window: LiveWindow | undefined, epoch: number, begin: BeginUpdate): Step {
  if (window !== undefined && begin.firstMsn < nextMsnOf(window)) {
    return stale(window);
  }
  if (new Set(begin.renditions.map((rendition) => rendition.name)).size < begin.renditions.length) {
    return invalid('a rendition is named twice');
  }
  if (!begin.renditions.every((rendition) => CODECS.test(rendition.codecs))) {
    return invalid('codecs are not of the form of RFC 6381');
  }
  return { kind: 'taken', window: beginEpoch(window, epoch, begin) };
}

function takeInit(window: LiveWindow, update: Update<'init'>, bytes: number): Step {
  const rendition = activeRendition(window, update.rendition);
  if (rendition === undefined) {
    return invalid(`rendition ${update.rendition} is not of this epoch`);
  }
  if (rendition.initEpoch === window.epoch) {
    return invalid(`rendition ${update.rendition} has its init segment; a changed one needs a new epoch`);
  }
  if (bytes === 0 || bytes > MAX_INIT_BYTES) {
    return invalid(`an init segment has 1 to ${MAX_INIT_BYTES} bytes, got ${bytes}`);
  }
  return taken(window, { ...rendition, initEpoch: window.epoch });
}

function takePart(window: LiveWindow, update: Update<'part'>, bytes: number): Step {
  const rendition = activeRendition(window, update.rendition);
  if (rendition === undefined || rendition.initEpoch !== window.epoch) {
    return invalid(`rendition ${update.rendition} has no init segment in this epoch`);
  }
  const expected = rendition.open?.parts.length ?? 0;
  if (update.msn !== rendition.nextMsn || update.part !== expected || expected >= MAX_PARTS) {
    return invalid(`expected part ${rendition.nextMsn}.${expected}, got ${update.msn}.${update.part}`);
  }
  if (bytes === 0) {
    return invalid(`part ${update.msn}.${update.part} is empty`);
  }
  if (!isDate(update.programDateTime)) {
    return invalid(NO_DATE);
  }
  const part = {
    durationMicros: Math.round(update.duration * MICROS),
    independent: update.independent,
    bytes,
  };
  const open = rendition.open ?? openSegment(window, rendition, update);
  return taken(window, { ...rendition, open: { ...open, parts: [...open.parts, part] } });
}

function openSegment(
  window: LiveWindow,
  rendition: RenditionWindow,
  update: Update<'part' | 'gap'>,
): OpenSegment {
  const before = lastSegment(rendition.segments);
  return {
    msn: update.msn,
    epoch: window.epoch,
    mapEpoch: window.epoch,
    discontinuitySequence: window.discontinuitySequence,
    discontinuity: before !== undefined && before.discontinuitySequence !== window.discontinuitySequence,
    programDateTime: Math.round(update.programDateTime),
    parts: [],
  };
}

function takeSegment(window: LiveWindow, update: Update<'segment'>): Step {
  const rendition = activeRendition(window, update.rendition);
  const open = rendition?.open;
  if (rendition === undefined || open === undefined || open.msn !== update.msn) {
    return invalid(`segment ${update.msn} of ${update.rendition} has no parts in the making`);
  }
  if (open.parts.length !== update.parts) {
    return invalid(`segment ${update.msn} has ${open.parts.length} parts, not ${update.parts}`);
  }
  return taken(window, appendSegment(rendition, completeSegment(open), window.begin));
}

function takeGap(window: LiveWindow, update: Update<'gap'>): Step {
  const rendition = activeRendition(window, update.rendition);
  if (rendition === undefined || rendition.initEpoch !== window.epoch) {
    return invalid(`rendition ${update.rendition} has no init segment in this epoch`);
  }
  if (rendition.open !== undefined || update.msn !== rendition.nextMsn) {
    return invalid(`expected segment ${rendition.nextMsn} with its parts, got a gap at ${update.msn}`);
  }
  if (!isDate(update.programDateTime)) {
    return invalid(NO_DATE);
  }
  const gap = {
    ...openSegment(window, rendition, update),
    durationMicros: Math.round(update.duration * MICROS),
    bytes: 0,
    partCount: 0,
    gap: true,
  };
  return taken(window, appendSegment(rendition, gap, window.begin));
}

function isDate(unixMilliseconds: number): boolean {
  return unixMilliseconds >= 0 && unixMilliseconds <= MAX_DATE;
}

function activeRendition(window: LiveWindow, name: string): RenditionWindow | undefined {
  const rendition = window.renditions.get(name);
  return rendition?.active === true ? rendition : undefined;
}

function taken(window: LiveWindow, rendition: RenditionWindow): Step {
  const renditions = new Map(window.renditions).set(rendition.description.name, rendition);
  return { kind: 'taken', window: { ...window, renditions } };
}

function expecting(update: PublishUpdate, next: number): Step {
  return update.seq > next
    ? { kind: 'refused', answer: { status: 'gap', next } }
    : invalid(`update ${next} has to be a begin`);
}

function stale(window: LiveWindow): Step {
  const answer = { status: 'stale', latestEpoch: window.epoch, nextMsn: nextMsnOf(window) } as const;
  return { kind: 'refused', answer };
}

function invalid(detail: string): Step {
  return { kind: 'refused', answer: { status: 'invalid', detail } };
}

function sameBegin(left: BeginUpdate, right: BeginUpdate): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
