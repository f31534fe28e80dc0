/**
 * Takes out of a media playlist what lies further behind its end than a viewer may go. The end is that of the last
 * complete segment: of what was taken out nothing comes back, so media sequence numbers never go backwards.
 *
 * The text is read from its end as far as it stays; what goes is only searched through. Playlists are as the hub
 * writes them: the tags of the whole playlist first, LF after each line, and a date of its own for each segment.
 */

/** How far back a viewer may go. */
export interface TimeShiftLimit {
  /** Behind the end; 0 is the live edge alone. */
  readonly seconds: number;
  /** The player has asked for a delta update, rfc8216bis §6.2.5.1. */
  readonly asksForDelta: boolean;
}

/** The oldest segment that a player with a limit may fetch. */
export interface OldestFetched {
  readonly msn: number;
  /** Seconds. */
  readonly targetDuration: number;
}

/** Tags of the whole playlist, rfc8216bis §4.4.2 and §4.4.3. */
const HEADER =
  /^#EXTM3U\n(?:#EXT-X-(?:VERSION|INDEPENDENT-SEGMENTS|START|DEFINE|TARGETDURATION|SERVER-CONTROL|PART-INF|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE|PLAYLIST-TYPE|I-FRAMES-ONLY)\b[^\n]*\n)*/;
const MEDIA_SEQUENCE = /^(#EXT-X-MEDIA-SEQUENCE:)(\d+)$/m;
const DISCONTINUITY_SEQUENCE = /^(#EXT-X-DISCONTINUITY-SEQUENCE:)(\d+)$/m;
const TARGET_DURATION = /^#EXT-X-TARGETDURATION:(\d+)$/m;
const HOLD_BACK = /[:,]HOLD-BACK=([\d.]+)/;
const CAN_SKIP_UNTIL = /[:,]CAN-SKIP-UNTIL=([\d.]+)/;
const EXTINF = '#EXTINF:';
const DISCONTINUITY = '#EXT-X-DISCONTINUITY\n';
/** In force until the next of their kind: rfc8216bis §4.4.4.4 and §4.4.4.5. */
const TAGS_IN_FORCE = ['#EXT-X-KEY:', '#EXT-X-MAP:'];
/** A live playlist holds at least so many target durations, rfc8216bis §6.2.2. */
const LEAST_TARGET_DURATIONS = 3;
/** Durations are added up whole, so that a sum does not depend on where it began. */
const MICROS = 1_000_000;

/**
 * Takes out the segments that end further behind the playlist's end than the limit, or than HOLD-BACK where that is
 * more: a player has to find what it starts with. A delta update is made of what is left.
 */
export function trimToTimeShift(playlist: string, limit: TimeShiftLimit): string {
  const header = HEADER.exec(playlist)?.[0];
  if (header === undefined) {
    return playlist;
  }
  const body = header.length;
  const cut = findCut(playlist, body, Math.max(limit.seconds, leastSeconds(header)));
  const boundary = limit.asksForDelta ? numberIn(header, CAN_SKIP_UNTIL) : 0;
  const listed = boundary > 0 ? Math.max(cut, findCut(playlist, body, boundary)) : cut;
  const removed = playlist.slice(body, cut);
  const skipped = countOf(playlist.slice(cut, listed), EXTINF);
  return [
    header
      .replace(MEDIA_SEQUENCE, advancedBy(countOf(removed, EXTINF)))
      .replace(DISCONTINUITY_SEQUENCE, advancedBy(countOf(removed, DISCONTINUITY))),
    // A player that gets a delta update has these tags from before, as from the hub's own updates.
    skipped > 0 ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n` : tagsInForce(removed, playlist.slice(cut)),
    playlist.slice(listed),
  ].join('');
}

/**
 * Finds the oldest segment to fetch under a limit: one that was listed a HOLD-BACK ago may still be asked for.
 * `undefined` where the text is no media playlist.
 */
export function oldestFetched(playlist: string, seconds: number): OldestFetched | undefined {
  const header = HEADER.exec(playlist)?.[0];
  if (header === undefined || !MEDIA_SEQUENCE.test(header)) {
    return undefined;
  }
  const least = leastSeconds(header);
  const cut = findCut(playlist, header.length, Math.max(seconds, least) + least);
  return {
    msn: Number(MEDIA_SEQUENCE.exec(header)?.[2]) + countOf(playlist.slice(header.length, cut), EXTINF),
    targetDuration: numberIn(header, TARGET_DURATION),
  };
}

/** Where the oldest segment begins that ends no further than `seconds` before the end of the last segment. */
function findCut(playlist: string, body: number, seconds: number): number {
  const limit = Math.round(seconds * MICROS);
  let behind = 0;
  for (let end = playlist.length; end > body;) {
    const begin = playlist.lastIndexOf('\n', end - 2) + 1;
    if (playlist.startsWith(EXTINF, begin)) {
      behind += Math.round(Number.parseFloat(playlist.slice(begin + EXTINF.length, end)) * MICROS);
    } else if (behind > limit && playlist[begin] !== '#' && playlist[begin] !== '\n') {
      return end;
    }
    end = begin;
  }
  return body;
}

/** The lines that set what is still in force after the removed text, but for what the rest sets anew. */
function tagsInForce(removed: string, rest: string): string {
  const opening = rest.slice(0, rest.indexOf(EXTINF));
  return TAGS_IN_FORCE.filter((tag) => !opening.includes(tag))
    .map((tag) => lastLines(removed, tag))
    .join('');
}

/** The last lines that begin with a tag, as far as they stand together: keys of several systems do. */
function lastLines(text: string, tag: string): string {
  let first = 0;
  let end = 0;
  // Forwards: engines search in leaps in this direction alone.
  for (let at = text.indexOf(tag); at >= 0; at = text.indexOf(tag, end)) {
    first = at === end ? first : at;
    end = text.indexOf('\n', at) + 1;
  }
  return text.slice(first, end);
}

function leastSeconds(header: string): number {
  return Math.max(LEAST_TARGET_DURATIONS * numberIn(header, TARGET_DURATION), numberIn(header, HOLD_BACK));
}

function numberIn(header: string, pattern: RegExp): number {
  return Number(pattern.exec(header)?.[1] ?? 0);
}

function advancedBy(count: number): (line: string, tag: string, value: string) => string {
  return (_line, tag, value) => `${tag}${Number(value) + count}`;
}

function countOf(text: string, tag: string): number {
  let count = 0;
  for (let at = text.indexOf(tag); at >= 0; at = text.indexOf(tag, at + tag.length)) {
    count += 1;
  }
  return count;
}
