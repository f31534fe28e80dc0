/**
 * The beacon: what a player without CMCD, Rill's own module among them, sends to `POST /beacon` as JSON.
 *
 * Times and counts are increments: each event carries what has happened since the session's previous event, so
 * that a report is a sum, a lost beacon costs its own share alone, and no row depends on another.
 */

import { z } from 'zod';

/** What happens in a playback session; the QoS table's column `event` has the same words. */
const PLAYER_EVENTS = [
  'session_start',
  'startup',
  'heartbeat',
  'stall_begin',
  'stall_end',
  'rendition_switch',
  'seek',
  'error',
  'end',
] as const;
/** What happens in a playback session, by name. */
export type PlayerEvent = (typeof PLAYER_EVENTS)[number];

/** Time between two heartbeats of a session, milliseconds, unless the player is told otherwise. */
export const HEARTBEAT_MS = 10_000;
/** Longest body of a beacon, bytes: what browsers let `navigator.sendBeacon` queue. */
export const MAX_BEACON_BYTES = 64 * 1024;
/** Most events in one beacon. */
export const MAX_BEACON_EVENTS = 100;
/** Longest `detail`, characters. */
const MAX_DETAIL_LENGTH = 200;

/** Longest time that an event may report, milliseconds: a day, far beyond any heartbeat. */
const MAX_TIME_MS = 86_400_000;
/** Largest bit rate, bits per second: 10 Gbit/s. */
const MAX_BITRATE = 10_000_000_000;
/** Unix milliseconds that are no error of unit: up to the year 2286. */
const MAX_UNIX_MS = 9_999_999_999_999;

const unixMs = z.number().min(0).max(MAX_UNIX_MS);
const timeMs = z.number().min(0).max(MAX_TIME_MS);
const count = z.int().min(0).max(1_000_000_000);

const beaconEventSchema = z.object({
  event: z.enum(PLAYER_EVENTS),
  /** When it happened, Unix milliseconds by the viewer's clock. */
  at: unixMs,
  /** Rises with each event of a session; an event that comes twice is counted once. */
  seq: count,
  /** Media time played since the previous event of the session, milliseconds of wall clock. */
  watchedMs: timeMs.optional(),
  /** Time stalled since the previous event, after the first frame; no seek, no pause, no hidden page. */
  stalledMs: timeMs.optional(),
  /** From the request to play to the first frame that moves; with `startup` alone. */
  startupMs: timeMs.optional(),
  /** Bits per second of the rendition in the picture. */
  bitrate: z.number().min(0).max(MAX_BITRATE).optional(),
  /** Lines of the rendition in the picture. */
  height: z.int().min(0).max(16_384).optional(),
  /** From the camera's clock (EXT-X-PROGRAM-DATE-TIME) to the picture. */
  latencyMs: timeMs.optional(),
  /** Media ahead of the picture. */
  bufferMs: timeMs.optional(),
  /** Frames dropped since the previous event. */
  droppedFrames: count.optional(),
  /** Frames decoded since the previous event. */
  decodedFrames: count.optional(),
  /** Rate of playback, 1 where it is neither slowed nor hastened. */
  playedRate: z.number().min(0).max(16).optional(),
  /** The player's code of an error; with `error` alone. */
  errorCode: z.string().max(64).optional(),
  /** What else there is to say; no address and nothing of the viewer. */
  detail: z.string().max(MAX_DETAIL_LENGTH).optional(),
  /** With `end`: the viewer left before the first frame, without an error; with `error`: it let no frame come. */
  exitBeforeStart: z.boolean().optional(),
});

/** The body of a beacon; keys that are not of it are ignored. */
export const beaconSchema = z.object({
  v: z.literal(1),
  /** A playback session's id, which the player chooses at random. */
  session: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  stream: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  player: z.string().max(64),
  playerVersion: z.string().max(32),
  /** When the beacon was sent, Unix milliseconds by the viewer's clock: it tells how wrong that clock is. */
  sentAt: unixMs,
  events: z.array(beaconEventSchema).min(1).max(MAX_BEACON_EVENTS),
});
/** A beacon as a player makes it. */
export type Beacon = z.infer<typeof beaconSchema>;
/** One event of a beacon. */
export type BeaconEvent = z.infer<typeof beaconEventSchema>;
