import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodePublishFrames,
  encodePublishFrames,
  type PublishAnswer,
  type PublishFrame,
} from '#shared/wire/publish.ts';
import { renderMediaPlaylist } from '#shared/playlist/render-media-playlist.ts';
import { describeMediaPlaylist, skippableSegments } from './describe-playlists.ts';
import { HubStorage } from './hub-storage.ts';
import { LiveStream } from './live-stream.ts';
import { nextMsnOf, type LiveWindow } from './live-window.ts';
import { renderDeltaUpdate, renderWholePlaylist } from './playlist-text.ts';
import { decideReload } from './reload.ts';
import { allSegments, CHUNK_SEGMENTS } from './segment-list.ts';
import { begin, framesOf, init, part, segments, type Unnumbered } from './window-fixture.ts';

/** Segments of the tail that are no older than six target durations, and those of one chunk not yet frozen. */
const TAIL_ROWS = 8 + CHUNK_SEGMENTS;

/** An origin that keeps all it ever sent in this epoch, as its send window does for a while. */
class Origin {
  epoch = 100;
  frames: PublishFrame[] = [];
  /** Number of the first update that was not acknowledged. */
  acknowledged = 0;
  nextMsn = 5;
  #openParts = 0;

  add(...updates: readonly Unnumbered[]): void {
    const sent = decodePublishFrames(encodePublishFrames(framesOf(updates, this.frames.length)));
    this.frames.push(...(sent.ok ? sent.value : []));
  }

  /** The encoder is lost in mid-segment, before the audio's share of it was published. */
  addLonePart(): void {
    if (this.#openParts === 0) {
      this.add(part('v', this.nextMsn, 0));
    }
  }

  begin(firstMsn: number, windowSegments: number): void {
    this.frames = [];
    this.acknowledged = 0;
    this.nextMsn = firstMsn;
    this.#openParts = 0;
    this.add({ ...begin(firstMsn), windowSegments }, init('v'), init('a'));
  }

  addPart(): void {
    if (this.#openParts === 2) {
      this.addSegments(0);
    }
    for (const rendition of ['v', 'a']) {
      this.add(part(rendition, this.nextMsn, this.#openParts));
    }
    this.#openParts += 1;
  }

  /** Completes the segment in the making and adds so many whole ones. */
  addSegments(count: number): void {
    const parts = this.#openParts;
    if (parts > 0) {
      for (const rendition of ['v', 'a']) {
        this.add({ kind: 'segment', rendition, msn: this.nextMsn, parts });
      }
      this.nextMsn += 1;
      this.#openParts = 0;
    }
    this.add(...segments(this.nextMsn, this.nextMsn + count));
    this.nextMsn += count;
  }

  hear(answer: PublishAnswer): void {
    if (answer.status === 'accepted' || answer.status === 'gap') {
      this.acknowledged = answer.next;
    }
  }
}

/** A hub with its storage, that can end at any moment. */
class CrashingHub {
  readonly #sql: SqlStorage;
  #storage: HubStorage;
  live: LiveStream;

  constructor(sql: SqlStorage) {
    for (const table of ['epoch', 'init', 'segment', 'chunk', 'heard']) {
      sql.exec(`DROP TABLE IF EXISTS ${table}`);
    }
    this.#sql = sql;
    this.#storage = new HubStorage(sql);
    this.live = new LiveStream(undefined);
  }

  write(): void {
    const unwritten = this.live.unwritten();
    if (unwritten !== undefined) {
      this.#storage.write(unwritten.changes, unwritten.inits, unwritten.oldestInits);
      this.live.markWritten();
    }
  }

  restart(): void {
    this.#storage = new HubStorage(this.#sql);
    this.live = new LiveStream(this.#storage.load());
  }

  count(table: 'segment' | 'chunk'): number {
    const rows = this.#sql.exec<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`).toArray();
    return rows[0]?.rows ?? 0;
  }
}

type Command = {
  readonly what: 'part' | 'segments' | 'repeat' | 'gap' | 'evict' | 'crash' | 'lose' | 'end' | 'epoch';
  readonly count: number;
  readonly windowSegments: number;
};
const HAPPENINGS = ['part', 'segments', 'repeat', 'gap', 'evict', 'crash', 'lose', 'end', 'epoch'] as const;
/** After its end a stream begins anew or is asked again. */
const AFTER_END: readonly string[] = ['repeat', 'evict', 'epoch'];
const command: fc.Arbitrary<Command> = fc.record({
  what: fc.constantFrom(...HAPPENINGS, 'part', 'segments'),
  count: fc.integer({ min: 1, max: 45 }),
  windowSegments: fc.constantFrom(6, 40, 100),
});

function textsOf(window: LiveWindow | undefined): (string | undefined)[] {
  return window === undefined
    ? []
    : [...window.renditions.values()].flatMap((rendition) => [
        renderWholePlaylist(window, rendition),
        renderDeltaUpdate(window, rendition),
      ]);
}

/** The same texts, made without anything that was kept. */
function plainTextsOf(window: LiveWindow | undefined): (string | undefined)[] {
  return window === undefined
    ? []
    : [...window.renditions.values()].flatMap((rendition) => {
        const listed = allSegments(rendition.segments);
        const plain = describeMediaPlaylist(window, rendition, listed);
        const skip = skippableSegments(window, rendition);
        return [renderMediaPlaylist(plain), skip === 0 ? undefined : renderMediaPlaylist(plain, { skip })];
      });
}

/** Number and part that a player of `v` asks for after it has seen this window. */
function nextOf(window: LiveWindow | undefined): { msn: number; part: number } {
  const rendition = window?.renditions.get('v');
  return { msn: rendition?.nextMsn ?? 0, part: rendition?.open?.parts.length ?? 0 };
}

/** Sends what the hub has not acknowledged until it has everything. */
function deliver(origin: Origin, hub: CrashingHub): void {
  for (let tries = 0; origin.acknowledged < origin.frames.length; tries += 1) {
    expect(tries).toBeLessThan(3);
    const answer = hub.live.publish(origin.epoch, origin.frames.slice(origin.acknowledged));
    hub.write();
    origin.hear(answer);
  }
}

function run(sql: SqlStorage, commands: readonly Command[]): void {
  const hub = new CrashingHub(sql);
  const origin = new Origin();
  const neverCrashed = new LiveStream(undefined);
  let listed = 100;
  const reach = (): void => {
    deliver(origin, hub);
    neverCrashed.publish(origin.epoch, origin.frames.slice(neverCrashed.window?.nextSeq ?? 0));
  };
  origin.begin(5, listed);
  reach();
  for (const { what, count, windowSegments } of commands) {
    const { acknowledged } = origin;
    if (hub.live.window?.ended === true && !AFTER_END.includes(what)) {
      continue;
    }
    switch (what) {
      case 'part':
        origin.addPart();
        break;
      case 'segments':
        origin.addSegments(count);
        break;
      case 'repeat':
        expect(hub.live.publish(origin.epoch, origin.frames.slice(-count)).status).toBe('accepted');
        break;
      case 'gap': {
        origin.addPart();
        const answer = hub.live.publish(origin.epoch, origin.frames.slice(acknowledged + 1));
        expect(answer).toEqual({ status: 'gap', next: acknowledged });
        break;
      }
      case 'evict':
        hub.restart();
        break;
      case 'crash':
      case 'lose': {
        // Released, perhaps even acknowledged, but not written.
        origin.addPart();
        const answer = hub.live.publish(origin.epoch, origin.frames.slice(acknowledged));
        const wanted = nextOf(hub.live.window);
        hub.restart();
        expect(hub.live.window && decideReload(hub.live.window, 'v', wanted).kind).not.toBe('now');
        if (what === 'lose') {
          origin.hear(answer);
          origin.addPart();
        }
        break;
      }
      case 'end':
        origin.add({ kind: 'end' });
        break;
      case 'epoch': {
        if (hub.live.window?.ended === false) {
          origin.addLonePart();
          reach();
        }
        listed = windowSegments;
        origin.epoch += 1;
        origin.begin(nextMsnOf(hub.live.window), listed);
        deliver(origin, hub);
        neverCrashed.publish(origin.epoch, origin.frames);
        break;
      }
    }
    reach();
    expect(hub.live.window).toEqual(neverCrashed.window);
    hub.restart();
    expect(hub.live.window).toEqual(neverCrashed.window);
    const texts = textsOf(hub.live.window);
    expect(texts).toEqual(textsOf(neverCrashed.window));
    expect(texts).toEqual(plainTextsOf(hub.live.window));
    expect(hub.count('segment')).toBeLessThanOrEqual(2 * Math.min(TAIL_ROWS, listed + 1));
    expect(hub.count('chunk')).toBeLessThanOrEqual(2 * (Math.ceil(listed / CHUNK_SEGMENTS) + 1));
  }
}

it('comes back with the same playlists wherever it ends, no number reused or skipped', async () => {
  const stub = env.HUB.get(env.HUB.idFromName('recovery'));
  await runInDurableObject(stub, (_, state) => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => run(state.storage.sql, commands)),
      { numRuns: 100 },
    );
  });
});
