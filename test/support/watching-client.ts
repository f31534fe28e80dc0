/**
 * A player without a picture that is strict: one blocking reload for each part, each part downloaded once, and a
 * playhead on the wall clock that must never reach the end of the media that was downloaded.
 */

import { Agent, get } from 'node:http';
import { readPlaylist, type ListedPart, type ListedPlaylist } from './live-client.ts';

const REQUEST_LIMIT_MS = 30_000;
/** Errors kept per client: what fails always would fill the memory of a long run. */
const MAX_FAULTS = 20;

/** What became of a client. */
export interface Watched {
  readonly parts: number;
  readonly bytes: number;
  /** Least that lay between playhead and the end of what was downloaded, seconds. */
  readonly leastBuffer: number;
  readonly stalls: number;
  /** What was missing, repeated, out of order or wrong, the first {@link MAX_FAULTS}. */
  readonly faults: readonly string[];
}

/** How a client watches. */
export interface WatchOptions {
  /** URL of a media playlist. */
  readonly playlistUrl: string;
  readonly durationMs: number;
  /** Checks a part's bytes; returns what is wrong with them. */
  readonly inspect?: (part: ListedPart, bytes: Buffer) => string | undefined;
}

/** Follows a media playlist's live edge with blocking reloads, PART-HOLD-BACK behind it. */
export async function watch(options: WatchOptions): Promise<Watched> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  try {
    return await new WatchingClient(options, agent).run();
  } finally {
    agent.destroy();
  }
}

class WatchingClient {
  readonly #options: WatchOptions;
  readonly #agent: Agent;
  readonly #faults: string[] = [];
  /** End of the media that was downloaded without a gap, seconds from where the client joined. */
  #mediaEnd = 0;
  #playheadStart: number | undefined;
  #parts = 0;
  #bytes = 0;
  #stalls = 0;
  #leastBuffer = Infinity;

  constructor(options: WatchOptions, agent: Agent) {
    this.#options = options;
    this.#agent = agent;
  }

  async run(): Promise<Watched> {
    const until = performance.now() + this.#options.durationMs;
    let playlist = readPlaylist((await this.#download(this.#options.playlistUrl)).toString());
    const holdBack = Number(/PART-HOLD-BACK=([\d.]+)/.exec(playlist.text)?.[1]);
    let next = await this.#join(playlist, holdBack);
    while (performance.now() < until && !playlist.ended) {
      playlist = await this.#reload(next);
      next = await this.#takeNew(playlist, next);
    }
    if (playlist.ended) {
      this.#fault('the stream ended');
    }
    return {
      parts: this.#parts,
      bytes: this.#bytes,
      leastBuffer: this.#leastBuffer,
      stalls: this.#stalls,
      faults: this.#faults,
    };
  }

  /** Begins with the independent part from which at least PART-HOLD-BACK is listed. */
  async #join(playlist: ListedPlaylist, holdBack: number): Promise<ListedPlaylist['next']> {
    const { parts } = playlist;
    let behind = 0;
    let at = parts.length - 1;
    while (at > 0 && (behind + (parts[at]?.duration ?? 0) < holdBack || parts[at]?.independent !== true)) {
      behind += parts[at]?.duration ?? 0;
      at -= 1;
    }
    const { msn, part } = parts[at] ?? playlist.next;
    const next = await this.#takeNew(playlist, { msn, part });
    // The playhead keeps its distance from the end of what was listed: PART-HOLD-BACK, as a player's target latency.
    this.#playheadStart = performance.now() - (this.#mediaEnd - holdBack) * 1000;
    return next;
  }

  async #reload(next: ListedPlaylist['next']): Promise<ListedPlaylist> {
    const url = new URL(this.#options.playlistUrl);
    url.searchParams.set('_HLS_msn', String(next.msn));
    url.searchParams.set('_HLS_part', String(next.part));
    const playlist = readPlaylist((await this.#download(url.href)).toString());
    if (comparePosition(playlist.next, next) <= 0) {
      this.#fault(`a reload for ${next.msn}.${next.part} was answered with a playlist without it`);
    }
    return playlist;
  }

  /** Downloads what follows `next` and returns what follows then. Numbers may only go on by one part or one segment. */
  async #takeNew(playlist: ListedPlaylist, next: ListedPlaylist['next']): Promise<ListedPlaylist['next']> {
    let expected = next;
    for (const part of playlist.parts.filter((one) => comparePosition(one, next) >= 0)) {
      const isNext = part.msn === expected.msn && part.part === expected.part;
      const isNextSegment = part.part === 0 && part.msn === expected.msn + 1 && expected.part > 0;
      const isComplete = playlist.segments.some((segment) => segment.msn === expected.msn);
      if (!isNext && !(isNextSegment && isComplete)) {
        this.#fault(`${part.msn}.${part.part} is listed where ${expected.msn}.${expected.part} comes next`);
      }
      await this.#takePart(part);
      expected = { msn: part.msn, part: part.part + 1 };
    }
    const listed = comparePosition(playlist.next, expected) > 0 ? playlist.next : expected;
    if (listed.part > 0 && listed.msn > expected.msn) {
      this.#fault(`parts from ${expected.msn}.${expected.part} on are not listed`);
    }
    return listed;
  }

  async #takePart(part: ListedPart): Promise<void> {
    const url = new URL(part.uri, this.#options.playlistUrl).href;
    const bytes = await this.#download(url);
    this.#watchPlayhead();
    const wrong = this.#options.inspect?.(part, bytes);
    if (wrong !== undefined) {
      this.#fault(`${part.msn}.${part.part}: ${wrong}`);
    }
    this.#parts += 1;
    this.#bytes += bytes.length;
    this.#mediaEnd += part.duration;
  }

  /** Just before media is added is when there is the least; a playhead that ran dry waits and goes on from there. */
  #watchPlayhead(): void {
    if (this.#playheadStart === undefined) {
      return;
    }
    const buffer = this.#mediaEnd - (performance.now() - this.#playheadStart) / 1000;
    this.#leastBuffer = Math.min(this.#leastBuffer, buffer);
    if (buffer < 0) {
      this.#stalls += 1;
      this.#playheadStart -= buffer * 1000;
      this.#fault(`stalled for ${Math.round(-buffer * 1000)} ms`);
    }
  }

  #fault(text: string): void {
    if (this.#faults.length < MAX_FAULTS) {
      this.#faults.push(text);
    }
  }

  /** Asks once: an answer that is not 200 ends the client, with its reason. */
  #download(url: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
      get(url, { agent: this.#agent, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('error', reject);
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          if (answer.statusCode === 200) {
            resolve(bytes);
          } else {
            reject(new Error(`${answer.statusCode}: ${bytes.toString().slice(0, 200)}`));
          }
        });
      }).on('error', reject);
    });
  }
}

function comparePosition(left: ListedPlaylist['next'], right: ListedPlaylist['next']): number {
  return left.msn === right.msn ? left.part - right.part : left.msn - right.msn;
}
