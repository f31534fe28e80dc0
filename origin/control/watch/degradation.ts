/** When a stream counts as degraded: what is measured against limits, told once it lasts, and taken back once it is over. */

import { z } from 'zod';

/** Why a stream is degraded. */
export type DegradedReason = 'slow' | 'late-parts' | 'hub-away' | 'storage-away' | 'srt-loss';

/** What the limits are held against; `undefined`: not known, which is no reason. */
export interface HealthReadings {
  /** Media seconds encoded per second. */
  readonly encoderSpeed: number | undefined;
  readonly partLatenessP95Ms: number | undefined;
  readonly hubConnected: boolean | undefined;
  readonly storageAway: boolean;
  /** Packets missing at first, of those sent, 0 to 1. */
  readonly srtLoss: number | undefined;
}

/** The key `degraded` of the configuration file. */
export const degradedSchema = z
  .strictObject({
    speed: z
      .number()
      .min(0)
      .max(1)
      .default(0.95)
      .describe('media seconds encoded per second below which it is slow'),
    partLateness: z
      .number()
      .min(0.05)
      .max(60)
      .default(1)
      .describe(
        "seconds from the end of a part's media to its announcement, 95th percentile, above which parts are late",
      ),
    srtLoss: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('share of SRT packets missing at first above which the link is bad'),
    after: z.number().min(0).max(600).default(5).describe('seconds that it has to last before it is told'),
    clearAfter: z.number().min(0).max(3_600).default(15).describe('seconds without it before it is over'),
  })
  .prefault({})
  .describe('when a stream counts as degraded');

/** Limits and times of degradation. */
export type DegradedLimits = z.infer<typeof degradedSchema>;

/** One reason with what was measured. */
export interface Degradation {
  readonly reason: DegradedReason;
  readonly detail: string;
}

interface Entry extends Degradation {
  readonly since: number;
  /** When it was last seen. */
  readonly seen: number;
  readonly told: boolean;
}

/** What is remembered of a stream; starts as {@link HEALTHY}. */
export type HealthState = ReadonlyMap<DegradedReason, Entry>;

/** Nothing was ever wrong. */
export const HEALTHY: HealthState = new Map();

/** What is wrong at this moment. */
export function judge(readings: HealthReadings, limits: DegradedLimits): readonly Degradation[] {
  const { encoderSpeed: speed, partLatenessP95Ms: late, hubConnected, storageAway, srtLoss } = readings;
  const found: Degradation[] = [];
  if (speed !== undefined && speed < limits.speed) {
    found.push({ reason: 'slow', detail: `${speed} s of media a second, limit ${limits.speed}` });
  }
  if (late !== undefined && late > limits.partLateness * 1_000) {
    found.push({
      reason: 'late-parts',
      detail: `parts are ${late} ms late, limit ${limits.partLateness * 1_000} ms`,
    });
  }
  if (hubConnected === false) {
    found.push({ reason: 'hub-away', detail: 'the edge takes no updates' });
  }
  if (storageAway) {
    found.push({ reason: 'storage-away', detail: 'object storage takes no objects: they wait on disk' });
  }
  if (srtLoss !== undefined && srtLoss > limits.srtLoss) {
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
    found.push({
      reason: 'srt-loss',
      detail: `${percent(srtLoss)} of packets missing at first, limit ${percent(limits.srtLoss)}`,
    });
  }
  return found;
}

/** Takes in what is wrong at `now` (Unix milliseconds); `told` are the reasons that count. */
export function advance(
  state: HealthState,
  found: readonly Degradation[],
  at: { readonly now: number; readonly limits: DegradedLimits },
): { readonly state: HealthState; readonly told: readonly Degradation[] } {
  const { now, limits } = at;
  const next = new Map<DegradedReason, Entry>();
  for (const [reason, entry] of state) {
    const keepMs = entry.told ? limits.clearAfter * 1_000 : 0;
    if (now - entry.seen < keepMs) {
      next.set(reason, entry);
    }
  }
  for (const { reason, detail } of found) {
    const before = state.get(reason);
    const since = before?.since ?? now;
    const told = before?.told === true || now - since >= limits.after * 1_000;
    next.set(reason, { reason, detail, since, seen: now, told });
  }
  const told = [...next.values()].filter((entry) => entry.told);
  return { state: next, told: told.map(({ reason, detail }) => ({ reason, detail })) };
}
