/** CMCD version 2 in event mode (CTA-5004-A): batches of lines in `application/cmcd`. */

import { decodeCmcd } from '@svta/cml-cmcd';
import { parseStreamName, type StreamName } from '../../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import type { BeaconEvent } from '../../../shared/qos/beacon.ts';
import { measuredBy, readCmcdFields, type CmcdFields } from './cmcd-fields.ts';

/** The media type of event reports. */
export const CMCD_TYPE = /^application\/cmcd\s*(?:;|$)/i;
/** Lines of one batch that are looked at. */
const MAX_LINES = 500;
/** Sessions in one batch: a player begins a new one with each content. */
const MAX_SESSIONS = 8;
/** Longest time between two events of a session that counts as watched or stalled, ms: six heartbeats. */
const MAX_GAP_MS = 60_000;

/** The lines of one session. */
export interface CmcdSession {
  readonly session: string;
  readonly stream: StreamName;
  readonly lines: readonly CmcdFields[];
}

/** What is remembered of a session between two batches. */
export interface CmcdState {
  readonly at: number;
  readonly playerState: string | undefined;
  readonly startedAt: number | undefined;
  readonly hasPlayed: boolean;
  readonly droppedFrames: number;
}

/** A session of which nothing is known yet. */
export const NEW_CMCD_SESSION: CmcdState = {
  at: 0,
  playerState: undefined,
  startedAt: undefined,
  hasPlayed: false,
  droppedFrames: 0,
};

/** Why a batch is none. */
export type CmcdFailure = { readonly reason: 'invalid-beacon'; readonly detail: string };

/** Reads a batch. The stream is the URL's `stream`, else the content id; lines that are no CMCD are left out. */
export function readCmcdEvents(body: string, url: URL): Result<readonly CmcdSession[], CmcdFailure> {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > MAX_LINES) {
    return invalid(`at most ${MAX_LINES} lines`);
  }
  const sessions = Map.groupBy(
    lines.map(readLine).filter((line) => line?.sid !== undefined),
    (line) => line?.sid ?? '',
  );
  if (sessions.size === 0 || sessions.size > MAX_SESSIONS) {
    return invalid(`lines of CMCD with a sid, of at most ${MAX_SESSIONS} sessions`);
  }
  const read: CmcdSession[] = [];
  for (const [session, fields] of sessions) {
    const known = fields.filter((line) => line !== undefined);
    const stream = parseStreamName(url.searchParams.get('stream') ?? known.find(({ cid }) => cid)?.cid ?? '');
    if (!stream.ok) {
      return invalid('the stream is named by ?stream= or by cid');
    }
    read.push({ session, stream: stream.value, lines: known });
  }
  return ok(read);
}

function readLine(line: string): CmcdFields | undefined {
  try {
    return readCmcdFields(decodeCmcd(line));
  } catch {
    return undefined;
  }
}

/** An event as a beacon has it, with what CMCD adds. */
type CmcdPlayerEvent = BeaconEvent & { readonly throughput: number };

/**
 * Makes a player's events of a session's lines: the time between two of them counts by the state that the player
 * was in. `now` (Unix ms) stands in where a line has no time.
 */
export function cmcdPlayerEvents(
  lines: readonly CmcdFields[],
  before: CmcdState,
  now: number,
): { readonly events: readonly CmcdPlayerEvent[]; readonly state: CmcdState } {
  const events: CmcdPlayerEvent[] = [];
  let state = before;
  for (const line of lines.toSorted((one, other) => (one.ts ?? now) - (other.ts ?? now))) {
    const at = line.ts ?? now;
    const kind = eventOf(line, state);
    if (kind !== undefined) {
      events.push({
        ...kind,
        ...elapsed(state, at),
        ...measuredBy(line),
        ...numbered(line, at),
        ...dropped(line, state),
      });
      state = after(line, state, at);
    }
  }
  return { events, state };
}

type Kind = Pick<BeaconEvent, 'event' | 'startupMs' | 'errorCode' | 'exitBeforeStart'>;

function eventOf(line: CmcdFields, state: CmcdState): Kind | undefined {
  switch (line.e) {
    case 't':
      return { event: 'heartbeat' };
    case 'bc':
      return { event: 'rendition_switch' };
    case 'e':
      return { event: 'error', ...(line.ec === undefined ? {} : { errorCode: line.ec }) };
    case 'ps':
      return stateChange(line, state);
    default:
      // Sound, size, background and advertisements have no column.
      return undefined;
  }
}

function stateChange(line: CmcdFields, state: CmcdState): Kind {
  switch (line.sta) {
    case 's':
      return state.startedAt === undefined ? { event: 'session_start' } : { event: 'heartbeat' };
    case 'p':
      return playing(line, state);
    case 'r':
      return state.hasPlayed ? { event: 'stall_begin' } : { event: 'heartbeat' };
    case 'k':
      return { event: 'seek' };
    case 'f':
      return { event: 'error', errorCode: line.ec ?? 'fatal', exitBeforeStart: !state.hasPlayed };
    case 'e':
    case 'q':
      return { event: 'end', exitBeforeStart: state.startedAt !== undefined && !state.hasPlayed };
    default:
      return { event: 'heartbeat' };
  }
}

function playing(line: CmcdFields, state: CmcdState): Kind {
  if (state.hasPlayed) {
    return { event: state.playerState === 'r' ? 'stall_end' : 'heartbeat' };
  }
  const startupMs = line.msd ?? Math.max(0, (line.ts ?? 0) - (state.startedAt ?? line.ts ?? 0));
  return { event: 'startup', startupMs };
}

function elapsed(state: CmcdState, at: number): Pick<BeaconEvent, 'watchedMs' | 'stalledMs'> {
  const gap = state.at === 0 ? 0 : Math.min(MAX_GAP_MS, Math.max(0, at - state.at));
  if (state.playerState === 'p') {
    return { watchedMs: gap };
  }
  return state.playerState === 'r' && state.hasPlayed ? { stalledMs: gap } : {};
}

/** Without a sequence number the time stands in, since it rises as well. */
function numbered(line: CmcdFields, at: number): Pick<BeaconEvent, 'at' | 'seq'> {
  return { at, seq: Math.floor(line.sn ?? at) };
}

function dropped(line: CmcdFields, state: CmcdState): Pick<BeaconEvent, 'droppedFrames'> {
  return { droppedFrames: Math.max(0, (line.df ?? state.droppedFrames) - state.droppedFrames) };
}

function after(line: CmcdFields, state: CmcdState, at: number): CmcdState {
  const playerState = line.sta ?? state.playerState;
  return {
    at: Math.max(at, state.at),
    playerState,
    startedAt: state.startedAt ?? at,
    hasPlayed: state.hasPlayed || playerState === 'p',
    droppedFrames: line.df ?? state.droppedFrames,
  };
}

function invalid(detail: string): Result<never, CmcdFailure> {
  return fail({ reason: 'invalid-beacon', detail });
}
