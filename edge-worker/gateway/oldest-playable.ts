/** The oldest segment that a viewer with a time-shift limit may fetch, from the rendition's playlist, remembered per isolate. */

import { errorAnswer } from '../answer.ts';
import { liveResourcePath, type MediaResource } from '../resource.ts';
import { canonicalRequest } from './canonical-request.ts';
import { oldestFetched, type OldestFetched } from './rewrite-time-shift.ts';

/** What is known of how far back a rendition may be fetched. */
export type OldestPlayableSegment =
  | { readonly kind: 'known'; readonly msn: number }
  /** The rendition's playlist cannot be had: what to answer instead. */
  | { readonly kind: 'unavailable'; readonly answer: Response };

interface Remembered extends OldestFetched {
  /** Unix seconds. */
  readonly readAt: number;
}

const RETRY = { headers: { 'retry-after': '1' } };
/** Pairs of a rendition and a limit remembered per isolate: at most 1 MB. */
const MAX_REMEMBERED = 2_000;

/** Remembers for a target duration how far back the renditions go that viewers with a limit ask for. */
export class OldestPlayable {
  readonly #found = new Map<string, Remembered>();

  /** Finds the oldest segment of a media file's rendition under a limit of seconds; `now` is Unix seconds. */
  async find(
    { stream, rendition }: MediaResource,
    limit: number,
    context: { readonly deliver: (request: Request) => Promise<Response>; readonly now: number },
  ): Promise<OldestPlayableSegment> {
    // The plain playlist, which is one copy for all viewers.
    const path = liveResourcePath({ kind: 'media-playlist', stream, rendition });
    const key = `${limit} ${path}`;
    const known = this.#found.get(key);
    if (known !== undefined && context.now - known.readAt < Math.max(1, known.targetDuration)) {
      return { kind: 'known', msn: known.msn };
    }
    const answer = await context.deliver(canonicalRequest(path));
    if (answer.status !== 200) {
      return { kind: 'unavailable', answer };
    }
    const oldest = oldestFetched(new TextDecoder().decode(await answer.arrayBuffer()), limit);
    if (oldest === undefined) {
      return { kind: 'unavailable', answer: errorAnswer(503, 'unavailable', RETRY) };
    }
    this.#remember(key, { ...oldest, readAt: context.now });
    return { kind: 'known', msn: oldest.msn };
  }

  #remember(key: string, found: Remembered): void {
    this.#found.delete(key);
    if (this.#found.size >= MAX_REMEMBERED) {
      const [oldest] = this.#found.keys();
      this.#found.delete(oldest ?? '');
    }
    this.#found.set(key, found);
  }
}
