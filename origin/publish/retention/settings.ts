/** What the configuration file says about how long media stays in object storage. */

import { z } from 'zod';

/** How long a stream's segments are kept. */
export interface RecordingSettings {
  /** Milliseconds; 0: what playlists name and no more, Infinity: for ever. */
  readonly keepMs: number;
}

/** How object storage is swept. */
export interface RetentionSettings {
  /** Milliseconds between two sweeps; 0: none. */
  readonly sweepEveryMs: number;
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const DURATION = /^[1-9][0-9]{0,6}[smhd]$/;

const duration = z
  .string()
  .regex(DURATION, 'expected a duration like "30s", "90m", "12h", "7d"')
  .transform(durationOf);

/** A stream's `recording`. */
export const recordingSchema = z
  .strictObject({
    keep: z
      .union(
        [
          z.literal('forever').transform(() => Number.POSITIVE_INFINITY),
          z.literal('window').transform(() => 0),
          duration,
        ],
        'expected "window", "forever", or a duration like "90m", "12h", "7d"',
      )
      .describe(
        'how long segments stay in object storage: "window" (what playlists name), a duration, "forever"',
      ),
  })
  .transform(({ keep }): RecordingSettings => ({ keepMs: keep }));

/** The origin's `retention`. */
export const retentionSchema = z
  .strictObject({
    sweepEvery: z
      .union([z.literal('never').transform(() => 0), duration], 'expected "never" or a duration like "10m"')
      .default(durationOf('10m'))
      .describe('how often object storage is looked through for what may go, or "never"'),
  })
  .transform(({ sweepEvery }): RetentionSettings => ({ sweepEveryMs: sweepEvery }));

/** Seven days: as long as a stream hub names what an ended stream's playlist did. */
export const DEFAULT_RECORDING: RecordingSettings = { keepMs: durationOf('7d') };

function durationOf(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS.get(text.slice(-1)) ?? Number.NaN);
}
