/**
 * A live stream in memory: the window, its hot bytes and the requests that wait for it. It knows neither storage
 * nor HTTP; an update is applied and every request that it settles is released in the same turn.
 */

import type { MediaFile } from '#shared/identifiers.ts';
import { renderMultivariantPlaylist } from '#shared/playlist/multivariant-playlist.ts';
import type { PublishAnswer, PublishFrame } from '#shared/wire/publish.ts';
import { describeMultivariantPlaylist } from './describe-multivariant.ts';
import type { Directives } from './directives.ts';
import { mustWait, type HeldFor } from './held-for.ts';
import { HotMedia } from './hot-media.ts';
import { closeEpoch } from './begin-epoch.ts';
import { oldestInits, type LiveWindow } from './live-window.ts';
import { locateMedia } from './locate-media.ts';
import { renderDeltaUpdate, renderWholePlaylist } from './playlist-text.ts';
import { Recovery } from './recovery.ts';
import { decideReload, joinWait } from './reload.ts';
import { segmentAt } from './segment-list.ts';
import type { InitRow, WindowChanges } from './stored-window.ts';
import { changesBetween } from './stored-window.ts';
import { takeUpdate } from './take-update.ts';
import { Waiters, type HoldEnd } from './waiters.ts';

/** Bytes of parts kept in memory: of an object's 128 MB, the larger share stays free for requests in flight. */
const HOT_BYTES = 48 * 1024 * 1024;
/** Segments of a rendition kept in memory: two minutes of the usual two seconds; older ones are in object storage. */
const HOT_SEGMENTS = 60;
/** Requests held at once: each costs about a kilobyte, and a cache tier sends one per playlist update. */
const MAX_HELD_REQUESTS = 20_000;
/** A request is held for at most so many target durations, rfc8216bis §6.2.5.2. */
const HOLD_FACTOR = 3;

/** What comes of a playlist request. */
export type PlaylistOutcome =
  /** UTF-8; one array for all who ask, since a playlist of hours has a megabyte. */
  | { readonly kind: 'text'; readonly text: Uint8Array; readonly window: LiveWindow }
  | { readonly kind: 'absent' }
  | { readonly kind: 'too-far'; readonly lastMsn: number }
  | { readonly kind: 'held-too-long' }
  | { readonly kind: 'too-many' };

/** What comes of a request for a media file. */
export type MediaOutcome =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Object storage may have it; `parts` is how many parts a whole segment has, where that is known. */
  | { readonly kind: 'storage'; readonly parts: number | undefined }
  | { readonly kind: 'absent' }
  | { readonly kind: 'too-many' };

/** What is to be written so that a restarted hub goes on from here. */
export interface Unwritten {
  readonly changes: WindowChanges;
  readonly inits: readonly InitRow[];
  readonly oldestInits: ReadonlyMap<string, number>;
}

/** A stream's live state. */
export class LiveStream {
  #window: LiveWindow | undefined;
  /** What storage holds. */
  #written: LiveWindow | undefined;
  #unwrittenInits: InitRow[] = [];
  readonly #hot = new HotMedia({ bytes: HOT_BYTES, segments: HOT_SEGMENTS });
  readonly #waiters = new Waiters<HeldFor>(MAX_HELD_REQUESTS);
  /** When each rendition's newest part came, Unix milliseconds. */
  readonly #lastPartAt = new Map<string, number>();
  /** Rendered playlists of the current window, by rendition and variant. */
  readonly #texts = new Map<string, Uint8Array>();
  readonly #recovery: Recovery;

  /** Goes on from what was stored. */
  constructor(stored: { readonly window: LiveWindow; readonly inits: readonly InitRow[] } | undefined) {
    this.#window = stored?.window;
    this.#written = stored?.window;
    this.#recovery = new Recovery(stored?.window.ended === false);
    for (const init of stored?.inits ?? []) {
      this.#hot.addInit(init.rendition, init.epoch, init.bytes);
    }
  }

  /** The window, or `undefined` before anything was published. */
  get window(): LiveWindow | undefined {
    return this.#window;
  }

  /** Requests held. */
  get held(): number {
    return this.#waiters.count;
  }

  /** Takes frames up to the first that is refused, then releases what they settle. */
  publish(epoch: number, frames: readonly PublishFrame[]): PublishAnswer {
    const before = this.#window;
    const refusal = this.#takeFrames(epoch, frames);
    const window = this.#window;
    if (window !== undefined && window !== before) {
      this.#afterChange(window);
    }
    if (refusal?.status !== 'gap') {
      this.#recovery.end();
    }
    const next = window?.epoch === epoch ? window.nextSeq : 0;
    return refusal ?? { status: 'accepted', next };
  }

  /** Ends a stream whose origin is gone, as if it had said so; false where there is nothing to end. */
  endOrphaned(): boolean {
    if (this.#window === undefined || this.#window.ended) {
      return false;
    }
    this.#window = { ...closeEpoch(this.#window), ended: true };
    this.#afterChange(this.#window);
    return true;
  }

  #afterChange(window: LiveWindow): void {
    this.#texts.clear();
    this.#hot.retainInits(oldestInits(window));
    this.#waiters.release((condition) => !mustWait(window, condition));
  }

  #takeFrames(epoch: number, frames: readonly PublishFrame[]): PublishAnswer | undefined {
    for (const { update, payload } of frames) {
      const step = takeUpdate(this.#window, epoch, update, payload.length);
      if (step.kind === 'refused') {
        return step.answer;
      }
      if (step.kind === 'taken') {
        this.#window = step.window;
        this.#keepBytes(step.window, { update, payload });
      }
    }
    return undefined;
  }

  #keepBytes({ epoch, nextSeq }: LiveWindow, { update, payload }: PublishFrame): void {
    if (update.kind === 'begin') {
      this.#lastPartAt.clear();
    } else if (update.kind === 'part') {
      this.#lastPartAt.set(update.rendition, Date.now());
      this.#hot.addPart({ rendition: update.rendition, epoch, msn: update.msn, part: update.part }, payload);
    } else if (update.kind === 'init') {
      this.#hot.addInit(update.rendition, epoch, payload);
      this.#unwrittenInits.push({
        rendition: update.rendition,
        epoch,
        nextSeq,
        bytes: new Uint8Array(payload),
      });
    }
  }

  /** What storage lacks, or `undefined` where it is up to date. */
  unwritten(): Unwritten | undefined {
    if (this.#window === undefined || this.#window === this.#written) {
      return undefined;
    }
    return {
      changes: changesBetween(this.#written, this.#window),
      inits: this.#unwrittenInits,
      oldestInits: oldestInits(this.#window),
    };
  }

  /** Notes that what {@link unwritten} returned in this turn has been written. */
  markWritten(): void {
    this.#written = this.#window;
    this.#unwrittenInits = [];
  }

  /** The multivariant playlist. */
  multivariantPlaylist(): PlaylistOutcome {
    const window = this.#window;
    const described = window === undefined ? undefined : describeMultivariantPlaylist(window);
    if (window === undefined || described === undefined) {
      return { kind: 'absent' };
    }
    return { kind: 'text', text: this.#render('', () => renderMultivariantPlaylist(described)), window };
  }

  /** A media playlist, held as its directives ask, rfc8216bis §6.2.5.2. */
  async mediaPlaylist(rendition: string, directives: Directives): Promise<PlaylistOutcome> {
    const { msn, part } = directives;
    await this.#recovery.over();
    const window = this.#window;
    if (window === undefined) {
      return { kind: 'absent' };
    }
    let decision = decideReload(window, rendition, directives);
    if (decision.kind === 'hold') {
      const end = await this.#hold(window, { kind: 'reload', rendition, msn, part });
      if (end !== 'released') {
        return { kind: end === 'too-many' ? 'too-many' : 'held-too-long' };
      }
      decision = { kind: 'now' };
    } else if (decision.kind === 'now' && msn === undefined) {
      await this.#holdToJoin(window, rendition);
    }
    return decision.kind === 'now' ? this.#mediaText(rendition, directives) : decision;
  }

  /** Lets a player that joins have the next part, where that is about to come. */
  async #holdToJoin(window: LiveWindow, name: string): Promise<void> {
    const lastPartAt = this.#lastPartAt.get(name);
    const rendition = window.renditions.get(name);
    if (lastPartAt === undefined || rendition?.active !== true || window.ended) {
      return;
    }
    const milliseconds = joinWait(Date.now() - lastPartAt, window.begin.partTarget * 1000);
    if (milliseconds > 0) {
      const next = { msn: rendition.nextMsn, part: rendition.open?.parts.length ?? 0 };
      const condition: HeldFor = { kind: 'reload', rendition: name, ...next };
      await this.#waiters.hold(`join/${JSON.stringify(condition)}`, condition, milliseconds);
    }
  }

  #mediaText(name: string, { skip }: Directives): PlaylistOutcome {
    const window = this.#window;
    const rendition = window?.renditions.get(name);
    if (window === undefined || rendition === undefined) {
      return { kind: 'absent' };
    }
    // Only CAN-SKIP-UNTIL is advertised, so `v2`, which also skips date ranges, gets the full playlist.
    const live = rendition.active && !window.ended;
    const delta = skip === 'YES' && live;
    const text = this.#render(`${name}/${delta ? 'skip' : ''}`, () =>
      delta
        ? (renderDeltaUpdate(window, rendition) ?? renderWholePlaylist(window, rendition))
        : renderWholePlaylist(window, rendition),
    );
    return { kind: 'text', text, window };
  }

  #render(key: string, render: () => string): Uint8Array {
    const text = this.#texts.get(key) ?? new TextEncoder().encode(render());
    this.#texts.set(key, text);
    return text;
  }

  /** A media file: hot bytes, a hinted one as soon as it is whole, or where else to look. */
  async media(rendition: string, file: MediaFile): Promise<MediaOutcome> {
    const window = this.#window;
    if (window === undefined) {
      return { kind: 'absent' };
    }
    if (locateMedia(window, rendition, file) === 'hinted') {
      const end = await this.#hold(window, { kind: 'media', rendition, file });
      if (end !== 'released') {
        return { kind: end === 'too-many' ? 'too-many' : 'absent' };
      }
    }
    return this.#find(rendition, file);
  }

  #find(rendition: string, file: MediaFile): MediaOutcome {
    const window = this.#window;
    const location = window === undefined ? 'absent' : locateMedia(window, rendition, file);
    const parts = file.kind === 'segment' ? this.#partsOf(rendition, file.msn) : undefined;
    switch (location) {
      case 'published': {
        const bytes = this.#hotBytes(rendition, file, parts);
        return bytes === undefined ? { kind: 'storage', parts } : { kind: 'bytes', bytes };
      }
      case 'older': {
        const bytes = this.#hotBytes(rendition, file, undefined);
        return bytes === undefined ? { kind: 'storage', parts: undefined } : { kind: 'bytes', bytes };
      }
      case 'hinted':
      case 'absent':
        return { kind: 'absent' };
    }
  }

  #partsOf(name: string, msn: number): number | undefined {
    const rendition = this.#window?.renditions.get(name);
    return rendition === undefined ? undefined : segmentAt(rendition.segments, msn)?.partCount;
  }

  #hotBytes(
    rendition: string,
    file: MediaFile,
    parts: number | undefined,
  ): Uint8Array<ArrayBuffer> | undefined {
    switch (file.kind) {
      case 'init':
        return this.#hot.init(rendition, file.epoch);
      case 'part':
        return this.#hot.part({ rendition, ...file });
      case 'segment':
        return this.#hot.segment({ rendition, ...file }, parts);
    }
  }

  #hold(window: LiveWindow, condition: HeldFor): Promise<HoldEnd> {
    const milliseconds = HOLD_FACTOR * window.begin.targetDuration * 1000;
    return this.#waiters.hold(JSON.stringify(condition), condition, milliseconds);
  }
}
