/**
 * A player without a picture that never gives up: blocking reloads, retries, segments where parts are no longer
 * listed, and a playhead on the wall clock whose waiting is what a viewer sees of a fault.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchMedia, fetchPlaylist, type ListedPlaylist } from './live-client.ts';

/** A file that was announced and downloaded. */
export interface Downloaded {
  readonly uri: string;
  readonly sha256: string;
}

const RETRY_MS = 200;

/** Follows one media playlist until it is stopped. */
export class TolerantPlayer {
  readonly #url: string;
  readonly #downloaded: Downloaded[] = [];
  readonly #done: Promise<void>;
  #stopping = false;
  /** End of what was downloaded and position of the playhead, seconds since the player joined. */
  #mediaEnd = 0;
  #playheadStart: number | undefined;
  #stalledSeconds = 0;
  #stalls = 0;
  #lastPartAt = performance.now();
  #skippedSegments = 0;

  constructor(playlistUrl: string) {
    this.#url = playlistUrl;
    this.#done = this.#run();
  }

  /** What a viewer waited for since the player joined, the wait that goes on included. */
  get stalledSeconds(): number {
    return this.#stalledSeconds + Math.max(0, -this.#buffer());
  }

  /** How often playback stood still. */
  get stalls(): number {
    return this.#stalls;
  }

  /** When media last came, `performance.now()`. */
  get lastPartAt(): number {
    return this.#lastPartAt;
  }

  /** Segments that no playlist named when the player came to them. */
  get skippedSegments(): number {
    return this.#skippedSegments;
  }

  /** Everything that was downloaded. */
  get downloaded(): readonly Downloaded[] {
    return this.#downloaded;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    let playlist = await this.#retry(() => fetchPlaylist(this.#url));
    let next = playlist?.next ?? { msn: 0, part: 0 };
    while (!this.#stopping) {
      playlist = await this.#retry(() => fetchPlaylist(this.#url, next));
      if (playlist !== undefined) {
        const before = next;
        next = await this.#takeNew(playlist, before);
        if (next.msn === before.msn && next.part === before.part) {
          await sleep(RETRY_MS);
        }
      }
    }
  }

  async #takeNew(playlist: ListedPlaylist, from: ListedPlaylist['next']): Promise<ListedPlaylist['next']> {
    let next = from;
    if (next.msn < playlist.mediaSequence) {
      this.#skippedSegments += playlist.mediaSequence - next.msn;
      next = { msn: playlist.mediaSequence, part: 0 };
    }
    while (!this.#stopping && (next.msn < playlist.next.msn || next.part < playlist.next.part)) {
      const part = playlist.parts.find((one) => one.msn === next.msn && one.part === next.part);
      const segment = playlist.segments.find((one) => one.msn === next.msn);
      if (part !== undefined) {
        await this.#take(part.uri, part.duration);
        next = { msn: next.msn, part: next.part + 1 };
      } else if (segment !== undefined && next.part === 0) {
        await this.#take(segment.uri, segment.duration);
        next = { msn: next.msn + 1, part: 0 };
      } else if (segment !== undefined) {
        const listed = playlist.parts.some((one) => one.msn === next.msn);
        if (!listed) {
          // The rest of this segment is only to be had with its beginning.
          await this.#take(segment.uri, Math.max(0, segment.duration - next.part / 2));
        }
        next = { msn: next.msn + 1, part: 0 };
      } else {
        return next;
      }
    }
    return next;
  }

  async #take(uri: string, seconds: number): Promise<void> {
    const bytes = await this.#retry(() => fetchMedia(this.#url, uri));
    if (bytes === undefined) {
      return;
    }
    this.#downloaded.push({ uri, sha256: createHash('sha256').update(bytes).digest('hex') });
    const buffer = this.#buffer();
    this.#playheadStart ??= performance.now();
    if (buffer < 0) {
      this.#stalls += 1;
      this.#stalledSeconds -= buffer;
      this.#playheadStart -= buffer * 1000;
    }
    this.#mediaEnd += seconds;
    this.#lastPartAt = performance.now();
  }

  /** A player begins PART-HOLD-BACK behind the end: three half-second parts. */
  #buffer(): number {
    return this.#playheadStart === undefined
      ? 0
      : this.#mediaEnd + HOLD_BACK_SECONDS - (performance.now() - this.#playheadStart) / 1000;
  }

  async #retry<T>(get: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stopping) {
      try {
        return await get();
      } catch {
        await sleep(RETRY_MS);
      }
    }
    return undefined;
  }
}

const HOLD_BACK_SECONDS = 1.5;
