/** Reads media playlists, full or delta updates: rfc8216bis §4.4.3 and §6.3. */

import { fail, ok, type Result } from '../result.ts';
import { readLines, type PlaylistFailure, type PlaylistLine } from './lines.ts';
import type { MediaPlaylist, MediaSegment } from './media-playlist.ts';
import { PlaylistSyntaxError } from './syntax.ts';
import type { PartTag } from './tags/part.ts';
import type { PreloadHintTag } from './tags/preload-hint.ts';
import type { RenditionReportTag } from './tags/rendition-report.ts';
import type { ServerControlTag } from './tags/server-control.ts';

/**
 * Reads a media playlist. Unknown tags are ignored; a map stays in force until the next. Returns `malformed`
 * with the line where the grammar is broken.
 */
export function parseMediaPlaylist(text: string): Result<MediaPlaylist, PlaylistFailure> {
  const draft = new Draft();
  const read = readLines(text, (line) => {
    if (line === undefined) {
      draft.checkComplete();
    } else {
      draft.take(line);
    }
  });
  return read.ok ? ok(draft.playlist()) : fail(read.failure);
}

/** A playlist as far as it has been read. */
class Draft {
  #version = 1;
  #independentSegments = false;
  #targetDuration: number | undefined;
  #partTarget: number | undefined;
  #serverControl: ServerControlTag | undefined;
  #mediaSequence = 0;
  #discontinuitySequence = 0;
  #skippedSegments = 0;
  #ended = false;
  readonly #segments: MediaSegment[] = [];
  readonly #preloadHints: PreloadHintTag[] = [];
  readonly #renditionReports: RenditionReportTag[] = [];
  #map: string | undefined;
  /** What has been said of the segment whose URI is still to come. */
  #discontinuity = false;
  #programDateTime: number | undefined;
  #gap = false;
  #parts: PartTag[] = [];
  #extinf: { readonly duration: number; readonly title: string } | undefined;

  take(line: PlaylistLine): void {
    switch (line.kind) {
      case 'extm3u':
        return;
      case 'version':
        this.#version = line.value;
        return;
      case 'independent-segments':
        this.#independentSegments = true;
        return;
      case 'target-duration':
        this.#targetDuration = line.value;
        return;
      case 'part-inf':
        this.#partTarget = line.partTarget;
        return;
      case 'server-control':
        this.#serverControl = line;
        return;
      case 'media-sequence':
        this.#mediaSequence = line.value;
        return;
      case 'discontinuity-sequence':
        this.#discontinuitySequence = line.value;
        return;
      case 'skip':
        this.#skippedSegments = line.skippedSegments;
        return;
      case 'endlist':
        this.#ended = true;
        return;
      case 'preload-hint':
        this.#preloadHints.push(line);
        return;
      case 'rendition-report':
        this.#renditionReports.push(line);
        return;
      case 'map':
      case 'discontinuity':
      case 'program-date-time':
      case 'gap':
      case 'part':
      case 'extinf':
      case 'uri':
        this.#takeOfSegment(line);
        return;
      case 'stream-inf':
      case 'media':
        throw new PlaylistSyntaxError('a tag of multivariant playlists stands in a media playlist');
    }
  }

  #takeOfSegment(line: PlaylistLine): void {
    if (line.kind === 'map') {
      this.#map = line.uri;
    } else if (line.kind === 'discontinuity') {
      this.#discontinuity = true;
    } else if (line.kind === 'program-date-time') {
      this.#programDateTime = line.at;
    } else if (line.kind === 'gap') {
      this.#gap = true;
    } else if (line.kind === 'part') {
      this.#parts.push(line);
    } else if (line.kind === 'extinf') {
      this.#extinf = line;
    } else if (line.kind === 'uri') {
      this.#finishSegment(line.uri);
    }
  }

  #finishSegment(uri: string): void {
    if (this.#extinf === undefined) {
      throw new PlaylistSyntaxError('a segment has no EXTINF');
    }
    const { duration, title } = this.#extinf;
    this.#segments.push({ uri, duration, title, gap: this.#gap, ...this.#opening() });
    this.#discontinuity = false;
    this.#programDateTime = undefined;
    this.#gap = false;
    this.#parts = [];
    this.#extinf = undefined;
  }

  #opening(): Pick<MediaSegment, 'discontinuity' | 'map' | 'programDateTime' | 'parts'> {
    return {
      discontinuity: this.#discontinuity,
      map: this.#map,
      programDateTime: this.#programDateTime,
      parts: this.#parts,
    };
  }

  /** Objects to a playlist that stops short. */
  checkComplete(): void {
    if (this.#targetDuration === undefined) {
      throw new PlaylistSyntaxError('EXT-X-TARGETDURATION is missing');
    }
    if (this.#extinf !== undefined) {
      throw new PlaylistSyntaxError('the last EXTINF has no URI');
    }
  }

  playlist(): MediaPlaylist {
    return {
      version: this.#version,
      independentSegments: this.#independentSegments,
      targetDuration: this.#targetDuration ?? 0,
      partTarget: this.#partTarget,
      serverControl: this.#serverControl,
      mediaSequence: this.#mediaSequence,
      discontinuitySequence: this.#discontinuitySequence,
      skippedSegments: this.#skippedSegments,
      segments: this.#segments,
      open: this.#parts.length === 0 ? undefined : this.#opening(),
      preloadHints: this.#preloadHints,
      renditionReports: this.#renditionReports,
      ended: this.#ended,
    };
  }
}
