/** From a viewer's grant and request to what differs in the playlist that this viewer gets. */

import type { Grant } from '../../shared/access/grant.ts';
import type { LiveResource } from '../resource.ts';
import { asksForDelta, isCanonicalQuery, type Query } from './canonical-request.ts';
import type { Carriage } from './carry-token.ts';
import type { TimeShiftLimit } from './rewrite-time-shift.ts';
import type { ViewerChange } from './rewrite.ts';

/** Query parameter of a playback session's id, which a player or its page chooses. */
const SESSION_PARAMETER = 'session';
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Query parameter of where playback starts, seconds; negative from the end. */
const START_PARAMETER = 'start';
const START_OFFSET = /^-?\d{1,5}(?:\.\d{1,3})?$/;

/** Tells what has to change in a playlist; `undefined` where it stays byte by byte as all others see it. */
export function viewerChange(viewer: {
  readonly resource: LiveResource;
  readonly grant: Grant;
  readonly carriage: Carriage;
  readonly url: Query;
}): ViewerChange | undefined {
  const { resource, grant, carriage, url } = viewer;
  if (resource.kind === 'media') {
    return undefined;
  }
  const session = readParameter(url, SESSION_PARAMETER, SESSION_ID);
  const isMultivariant = resource.kind === 'multivariant-playlist';
  const start = isMultivariant ? readParameter(url, START_PARAMETER, START_OFFSET) : undefined;
  const change: ViewerChange = {
    everywhere: carriage.everywhere,
    onPlaylists: session === undefined ? [] : [[SESSION_PARAMETER, session]],
    folder: carriage.folder,
    maxHeight: isMultivariant ? grant.maxHeight : undefined,
    maxBitrate: isMultivariant ? grant.maxBitrate : undefined,
    startOffset: start === undefined ? undefined : Number(start),
    timeShift: isMultivariant ? undefined : timeShiftLimit(grant, url),
  };
  return isIdentity(change) ? undefined : change;
}

function isIdentity(change: ViewerChange): boolean {
  return (
    change.everywhere.length + change.onPlaylists.length === 0 &&
    change.folder === undefined &&
    change.maxHeight === undefined &&
    change.maxBitrate === undefined &&
    change.startOffset === undefined &&
    change.timeShift === undefined
  );
}

function timeShiftLimit({ timeShift }: Grant, url: Query): TimeShiftLimit | undefined {
  return timeShift === undefined
    ? undefined
    : { seconds: timeShift, asksForDelta: asksForDelta(url.searchParams) };
}

/** Reads a parameter of the query; a value that is not of the right form is as good as none. */
function readParameter(url: Query, name: string, form: RegExp): string | undefined {
  if (isCanonicalQuery(url.search)) {
    return undefined;
  }
  const value = url.searchParams.get(name);
  return value !== null && form.test(value) ? value : undefined;
}
