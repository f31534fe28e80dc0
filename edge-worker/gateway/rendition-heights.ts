/** How high each rendition's picture is, and its bitrate, learned from the multivariant playlists and remembered per isolate. */

import type { StreamName } from '../../shared/identifiers.ts';
import { parseMultivariantPlaylist } from '../../shared/playlist/multivariant-playlist.ts';
import { errorAnswer } from '../answer.ts';
import { liveResourcePath, parseLiveResource, type LiveResource } from '../resource.ts';
import { canonicalRequest } from './canonical-request.ts';

/** A rendition's picture height, 0 where it has none, and the least BANDWIDTH of the variants that it is part of. */
interface Measure {
  readonly height: number;
  readonly bandwidth: number;
}

/** What is known of a rendition. */
export type RenditionHeight =
  | ({ readonly kind: 'known' } & Measure)
  | { readonly kind: 'unknown' }
  /** The multivariant playlist cannot be had: what to answer instead. */
  | { readonly kind: 'unavailable'; readonly answer: Response };

interface Remembered {
  readonly heights: ReadonlyMap<string, Measure>;
  /** Unix seconds. */
  readonly readAt: number;
}

/** Seconds for which heights hold: an encoder that reconnects may come back with another picture. */
const FRESH_SECONDS = 5;
const RETRY = { headers: { 'retry-after': '1' } };
/** Streams remembered per isolate: at most 4 MB. */
const MAX_STREAMS = 500;
/** Renditions remembered per stream, those of runs before included, whose media is still in the window. */
const MAX_RENDITIONS = 64;

/** Remembers the heights of the streams that viewers with a limit ask for. */
export class RenditionHeights {
  readonly #streams = new Map<StreamName, Remembered>();

  /** Finds the height of the rendition that a resource belongs to; `now` is Unix seconds. */
  async find(
    resource: Exclude<LiveResource, { readonly kind: 'multivariant-playlist' }>,
    context: { readonly deliver: (request: Request) => Promise<Response>; readonly now: number },
  ): Promise<RenditionHeight> {
    const { stream, rendition } = resource;
    const known = this.#streams.get(stream);
    const age = context.now - (known?.readAt ?? Number.NEGATIVE_INFINITY);
    // A rendition that is not known may just have begun; asked for once a second, guessing costs nothing.
    if (known !== undefined && age < (known.heights.has(rendition) ? FRESH_SECONDS : 1)) {
      return heightIn(known.heights, rendition);
    }
    const path = liveResourcePath({ kind: 'multivariant-playlist', stream });
    const playlist = canonicalRequest(path);
    const answer = await context.deliver(playlist);
    if (answer.status !== 200) {
      return { kind: 'unavailable', answer };
    }
    const heights = readHeights(new TextDecoder().decode(await answer.arrayBuffer()), playlist.url);
    if (heights === undefined) {
      return { kind: 'unavailable', answer: errorAnswer(503, 'unavailable', RETRY) };
    }
    const merged = new Map([...(known?.heights ?? []), ...heights]);
    this.#remember(stream, {
      heights: merged.size <= MAX_RENDITIONS ? merged : heights,
      readAt: context.now,
    });
    return heightIn(merged, rendition);
  }

  #remember(stream: StreamName, remembered: Remembered): void {
    this.#streams.delete(stream);
    if (this.#streams.size >= MAX_STREAMS) {
      const [oldest] = this.#streams.keys();
      if (oldest !== undefined) {
        this.#streams.delete(oldest);
      }
    }
    this.#streams.set(stream, remembered);
  }
}

function heightIn(heights: ReadonlyMap<string, Measure>, rendition: string): RenditionHeight {
  const known = heights.get(rendition);
  return known === undefined ? { kind: 'unknown' } : { kind: 'known', ...known };
}

function readHeights(text: string, url: string): ReadonlyMap<string, Measure> | undefined {
  const playlist = parseMultivariantPlaylist(text);
  if (!playlist.ok) {
    return undefined;
  }
  const heights = new Map<string, Measure>();
  const { renditions, variants } = playlist.value;
  const entries = [
    ...renditions.filter(({ type }) => type !== 'VIDEO').map(({ uri }) => ({ uri, height: 0, bandwidth: 0 })),
    ...variants.map(({ uri, resolution, bandwidth }) => ({
      uri,
      height: resolution?.height ?? 0,
      bandwidth,
    })),
  ];
  for (const { uri, height, bandwidth } of entries) {
    const resource = parseLiveResource(uri === undefined ? '' : new URL(uri, url).pathname);
    if (resource.ok && resource.value.kind === 'media-playlist') {
      const { rendition } = resource.value;
      const other = heights.get(rendition) ?? { height: 0, bandwidth: Infinity };
      heights.set(rendition, {
        height: Math.max(height, other.height),
        bandwidth: Math.min(bandwidth, other.bandwidth),
      });
    }
  }
  return heights;
}
