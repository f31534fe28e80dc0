/** Limits of a grant against guessed URLs: what its viewer's playlists do not name is refused by name as well. */

import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { LiveResource } from '../resource.ts';
import { denialAnswer } from './denial-answer.ts';
import type { OldestPlayable } from './oldest-playable.ts';
import type { RenditionHeights } from './rendition-heights.ts';
import type { VariantLimits } from './rewrite-variants.ts';

/** What tells how high a rendition is and how far back it goes. */
export interface LimitContext {
  readonly heights: RenditionHeights;
  readonly oldest: OldestPlayable;
  readonly deliver: (canonical: Request) => Promise<Response>;
  /** Unix seconds. */
  readonly now: number;
}

/** Whether a grant limits anything that a URL can name. */
export function hasLimits({ maxHeight, maxBitrate, timeShift }: Grant): boolean {
  return maxHeight !== undefined || maxBitrate !== undefined || timeShift !== undefined;
}

/** Refuses what lies beyond a grant's height, bitrate or time-shift; nothing where it may be had. */
export async function refuseBeyondLimits(
  resource: LiveResource,
  grant: Grant,
  context: LimitContext,
): Promise<Response | undefined> {
  return (
    (await refuseAboveLimits(resource, grant, context)) ??
    (await refuseBeyondTimeShift(resource, grant, context))
  );
}

/** No rendition is within the grant's limits, or none is known to be. */
export function aboveLimits({ maxHeight, maxBitrate = 0 }: VariantLimits): Denial {
  return maxHeight === undefined
    ? { reason: 'above-bitrate', limit: maxBitrate }
    : { reason: 'above-height', height: undefined, limit: maxHeight };
}

/** What a rendition above the grant's height or bitrate is answered with, be it asked for by a guessed URL; else nothing. */
async function refuseAboveLimits(
  resource: LiveResource,
  grant: Grant,
  context: LimitContext,
): Promise<Response | undefined> {
  const { maxHeight = Infinity, maxBitrate = Infinity } = grant;
  if ((maxHeight === Infinity && maxBitrate === Infinity) || resource.kind === 'multivariant-playlist') {
    return undefined;
  }
  const found = await context.heights.find(resource, context);
  switch (found.kind) {
    case 'unavailable':
      return found.answer;
    case 'unknown':
      return denialAnswer(aboveLimits(grant), resource.stream);
    case 'known':
      if (found.height > maxHeight) {
        const denial = { reason: 'above-height', height: found.height, limit: maxHeight } as const;
        return denialAnswer(denial, resource.stream);
      }
      return found.bandwidth > maxBitrate
        ? denialAnswer({ reason: 'above-bitrate', limit: maxBitrate }, resource.stream)
        : undefined;
  }
}

/** What media further back than the grant's time-shift is answered with; nothing where it may be had. */
async function refuseBeyondTimeShift(
  resource: LiveResource,
  { timeShift }: Grant,
  context: LimitContext,
): Promise<Response | undefined> {
  // An init segment shows nothing.
  if (timeShift === undefined || resource.kind !== 'media' || resource.file.kind === 'init') {
    return undefined;
  }
  const found = await context.oldest.find(resource, timeShift, context);
  if (found.kind === 'unavailable') {
    return found.answer;
  }
  return resource.file.msn < found.msn
    ? denialAnswer({ reason: 'beyond-time-shift', limit: timeShift }, resource.stream)
    : undefined;
}
