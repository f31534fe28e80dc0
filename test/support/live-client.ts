/** A player without a picture: reads playlists with blocking reloads and downloads every part and segment. */

const REQUEST_LIMIT_MS = 30_000;

/** A part as a media playlist lists it. */
export interface ListedPart {
  readonly uri: string;
  readonly duration: number;
  readonly independent: boolean;
  readonly msn: number;
  readonly part: number;
}

/** The lines of a media playlist that a test looks at. */
export interface ListedPlaylist {
  readonly text: string;
  readonly mediaSequence: number;
  readonly parts: readonly ListedPart[];
  readonly segments: readonly { readonly uri: string; readonly duration: number; readonly msn: number }[];
  readonly init: string | undefined;
  readonly discontinuities: number;
  readonly ended: boolean;
  /** Where the next part will be: what a blocking reload asks for. */
  readonly next: { readonly msn: number; readonly part: number };
}

/** Reads a media playlist line by line, independent of the project's own parser. */
export function readPlaylist(text: string): ListedPlaylist {
  const mediaSequence = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1] ?? 0);
  const parts: ListedPart[] = [];
  const segments: { uri: string; duration: number; msn: number }[] = [];
  let msn = mediaSequence;
  let part = 0;
  let duration = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-PART:')) {
      parts.push({
        uri: /URI="([^"]+)"/.exec(line)?.[1] ?? '',
        duration: Number(/DURATION=([\d.]+)/.exec(line)?.[1]),
        independent: line.includes('INDEPENDENT=YES'),
        msn,
        part,
      });
      part += 1;
    } else if (line.startsWith('#EXTINF:')) {
      duration = Number.parseFloat(line.slice(8));
    } else if (line !== '' && !line.startsWith('#')) {
      segments.push({ uri: line, duration, msn });
      msn += 1;
      part = 0;
    }
  }
  return {
    text,
    mediaSequence,
    parts,
    segments,
    init: [...text.matchAll(/^#EXT-X-MAP:URI="([^"]+)"/gm)].at(-1)?.[1],
    discontinuities: text.match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0,
    ended: text.includes('#EXT-X-ENDLIST'),
    next: { msn, part },
  };
}

/** Fetches a media playlist; with `after`, holds until that part is there. */
export async function fetchPlaylist(
  url: string,
  after?: { readonly msn: number; readonly part: number },
): Promise<ListedPlaylist> {
  const target = new URL(url);
  if (after !== undefined) {
    target.searchParams.set('_HLS_msn', String(after.msn));
    target.searchParams.set('_HLS_part', String(after.part));
  }
  const response = await fetch(target, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${response.status} for ${target.pathname}${target.search}: ${text}`);
  }
  return readPlaylist(text);
}

/** Fetches a file next to a playlist. */
export async function fetchMedia(playlistUrl: string, uri: string): Promise<Uint8Array> {
  const response = await fetch(new URL(uri, playlistUrl), { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  if (!response.ok) {
    throw new Error(`${response.status} for ${uri}: ${await response.text()}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** A part with the instant (`Date.now()`) at which its download ended. */
export interface DownloadedPart extends ListedPart {
  readonly bytes: Uint8Array;
  readonly downloadedAt: number;
}

/** Follows the live edge for `durationMs` and downloads each new part as soon as it is listed. */
export async function followParts(
  playlistUrl: string,
  durationMs: number,
): Promise<readonly DownloadedPart[]> {
  const downloaded: DownloadedPart[] = [];
  const until = Date.now() + durationMs;
  let playlist = await fetchPlaylist(playlistUrl);
  let next = playlist.next;
  while (Date.now() < until && !playlist.ended) {
    playlist = await fetchPlaylist(playlistUrl, next);
    for (const part of playlist.parts) {
      if (part.msn > next.msn || (part.msn === next.msn && part.part >= next.part)) {
        const bytes = await fetchMedia(playlistUrl, part.uri);
        downloaded.push({ ...part, bytes, downloadedAt: Date.now() });
      }
    }
    next = playlist.next;
  }
  return downloaded;
}

/** URLs of a multivariant playlist: variants in order of appearance, then audio renditions. */
export async function fetchVariants(url: string): Promise<{
  readonly text: string;
  readonly variants: readonly string[];
  readonly audio: readonly string[];
}> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${response.status}: ${text}`);
  }
  const absolute = (uri: string): string => new URL(uri, url).href;
  const lines = text.split('\n');
  return {
    text,
    variants: lines.filter((line) => line !== '' && !line.startsWith('#')).map(absolute),
    audio: [...text.matchAll(/^#EXT-X-MEDIA:.*URI="([^"]+)"/gm)].map((match) => absolute(match[1] ?? '')),
  };
}

/** Polls until `probe` gives a value that is not `undefined`; its errors count as not yet. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined) {
        return value;
      }
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${limitMs} ms: ${what}`, { cause: last });
}
