/** Leaves out of a multivariant playlist what is above the height or the bitrate that a grant allows. */

import { readAttribute } from './attribute-list.ts';

const STREAM_INF = '#EXT-X-STREAM-INF:';
const I_FRAME_STREAM_INF = '#EXT-X-I-FRAME-STREAM-INF:';
const MEDIA = '#EXT-X-MEDIA:';
/** Attributes of a variant that name a group, which are also the TYPEs of its renditions: rfc8216bis §4.4.6.2. */
const GROUP_ATTRIBUTES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'];

/** What a viewer may see of a stream; `undefined` is without that limit. */
export interface VariantLimits {
  /** Luma samples. */
  readonly maxHeight?: number | undefined;
  /** BANDWIDTH, bits per second. */
  readonly maxBitrate?: number | undefined;
}

/**
 * Leaves out the variants and I-frame playlists above a limit, and the renditions that none but those referred to.
 * `undefined` where no variant is left.
 */
export function limitVariants(playlist: string, limits: VariantLimits): string | undefined {
  const lines = playlist.split('\n');
  const keptGroups = new Set<string>();
  const droppedGroups = new Set<string>();
  const remaining: string[] = [];
  let variants = 0;
  let dropUri = false;
  for (const line of lines) {
    const isUri = line.trim() !== '' && !line.startsWith('#');
    if (isUri && dropUri) {
      dropUri = false;
      continue;
    }
    const tooHigh = isAbove(line, limits);
    const isVariant = line.startsWith(STREAM_INF);
    if (isVariant) {
      addGroups(line, tooHigh ? droppedGroups : keptGroups);
      variants += tooHigh ? 0 : 1;
    }
    dropUri ||= tooHigh && isVariant;
    if (!tooHigh) {
      remaining.push(line);
    }
  }
  const kept = remaining.filter((line) => {
    const group = line.startsWith(MEDIA) ? groupOf(line) : '';
    return keptGroups.has(group) || !droppedGroups.has(group);
  });
  return variants === 0 ? undefined : kept.join('\n');
}

function isAbove(line: string, { maxHeight = Infinity, maxBitrate = Infinity }: VariantLimits): boolean {
  if (!line.startsWith(STREAM_INF) && !line.startsWith(I_FRAME_STREAM_INF)) {
    return false;
  }
  const height = Number(readAttribute(line, 'RESOLUTION')?.split('x')[1] ?? 0);
  return height > maxHeight || Number(readAttribute(line, 'BANDWIDTH') ?? 0) > maxBitrate;
}

function addGroups(line: string, groups: Set<string>): void {
  for (const type of GROUP_ATTRIBUTES) {
    const group = readAttribute(line, type);
    if (group !== undefined) {
      groups.add(`${type}:${group}`);
    }
  }
}

function groupOf(line: string): string {
  return `${readAttribute(line, 'TYPE')}:${readAttribute(line, 'GROUP-ID')}`;
}
