/** Every tag that is read and written, by its name in the text and by its kind. */

import { parseDiscontinuity, renderDiscontinuity, type DiscontinuityTag } from './discontinuity.ts';
import {
  parseDiscontinuitySequence,
  renderDiscontinuitySequence,
  type DiscontinuitySequenceTag,
} from './discontinuity-sequence.ts';
import { parseEndlist, renderEndlist, type EndlistTag } from './endlist.ts';
import { parseExtinf, renderExtinf, type ExtinfTag } from './extinf.ts';
import { parseExtm3u, renderExtm3u, type Extm3uTag } from './extm3u.ts';
import { parseGap, renderGap, type GapTag } from './gap.ts';
import {
  parseIndependentSegments,
  renderIndependentSegments,
  type IndependentSegmentsTag,
} from './independent-segments.ts';
import { parseMap, renderMap, type MapTag } from './map.ts';
import { parseMedia, renderMedia, type MediaTag } from './media.ts';
import { parseMediaSequence, renderMediaSequence, type MediaSequenceTag } from './media-sequence.ts';
import { parsePart, renderPart, type PartTag } from './part.ts';
import { parsePartInf, renderPartInf, type PartInfTag } from './part-inf.ts';
import { parsePreloadHint, renderPreloadHint, type PreloadHintTag } from './preload-hint.ts';
import { parseProgramDateTime, renderProgramDateTime, type ProgramDateTimeTag } from './program-date-time.ts';
import { parseRenditionReport, renderRenditionReport, type RenditionReportTag } from './rendition-report.ts';
import { parseServerControl, renderServerControl, type ServerControlTag } from './server-control.ts';
import { parseSkip, renderSkip, type SkipTag } from './skip.ts';
import { parseStreamInf, renderStreamInf, type StreamInfTag } from './stream-inf.ts';
import { parseTargetDuration, renderTargetDuration, type TargetDurationTag } from './target-duration.ts';
import { parseVersion, renderVersion, type VersionTag } from './version.ts';

/** A tag of a playlist. */
export type Tag =
  | DiscontinuityTag
  | DiscontinuitySequenceTag
  | EndlistTag
  | ExtinfTag
  | Extm3uTag
  | GapTag
  | IndependentSegmentsTag
  | MapTag
  | MediaTag
  | MediaSequenceTag
  | PartTag
  | PartInfTag
  | PreloadHintTag
  | ProgramDateTimeTag
  | RenditionReportTag
  | ServerControlTag
  | SkipTag
  | StreamInfTag
  | TargetDurationTag
  | VersionTag;

/** Readers of the text after `#NAME:`, by name; each throws `PlaylistSyntaxError` on broken text. */
export const TAG_PARSERS: ReadonlyMap<string, (text: string) => Tag> = new Map<string, (text: string) => Tag>(
  [
    ['EXT-X-DISCONTINUITY', parseDiscontinuity],
    ['EXT-X-DISCONTINUITY-SEQUENCE', parseDiscontinuitySequence],
    ['EXT-X-ENDLIST', parseEndlist],
    ['EXTINF', parseExtinf],
    ['EXTM3U', parseExtm3u],
    ['EXT-X-GAP', parseGap],
    ['EXT-X-INDEPENDENT-SEGMENTS', parseIndependentSegments],
    ['EXT-X-MAP', parseMap],
    ['EXT-X-MEDIA', parseMedia],
    ['EXT-X-MEDIA-SEQUENCE', parseMediaSequence],
    ['EXT-X-PART', parsePart],
    ['EXT-X-PART-INF', parsePartInf],
    ['EXT-X-PRELOAD-HINT', parsePreloadHint],
    ['EXT-X-PROGRAM-DATE-TIME', parseProgramDateTime],
    ['EXT-X-RENDITION-REPORT', parseRenditionReport],
    ['EXT-X-SERVER-CONTROL', parseServerControl],
    ['EXT-X-SKIP', parseSkip],
    ['EXT-X-STREAM-INF', parseStreamInf],
    ['EXT-X-TARGETDURATION', parseTargetDuration],
    ['EXT-X-VERSION', parseVersion],
  ],
);

/** Renders a tag as one line without its line break. */
export function renderTag(tag: Tag): string {
  switch (tag.kind) {
    case 'discontinuity':
      return renderDiscontinuity();
    case 'discontinuity-sequence':
      return renderDiscontinuitySequence(tag);
    case 'endlist':
      return renderEndlist();
    case 'extinf':
      return renderExtinf(tag);
    case 'extm3u':
      return renderExtm3u();
    case 'gap':
      return renderGap();
    case 'independent-segments':
      return renderIndependentSegments();
    case 'map':
      return renderMap(tag);
    case 'media':
      return renderMedia(tag);
    case 'media-sequence':
      return renderMediaSequence(tag);
    case 'part':
      return renderPart(tag);
    case 'part-inf':
      return renderPartInf(tag);
    case 'preload-hint':
      return renderPreloadHint(tag);
    case 'program-date-time':
      return renderProgramDateTime(tag);
    case 'rendition-report':
      return renderRenditionReport(tag);
    case 'server-control':
      return renderServerControl(tag);
    case 'skip':
      return renderSkip(tag);
    case 'stream-inf':
      return renderStreamInf(tag);
    case 'target-duration':
      return renderTargetDuration(tag);
    case 'version':
      return renderVersion(tag);
  }
}
