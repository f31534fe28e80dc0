/** What a stream and a viewer cost on Cloudflare in an hour, from a price list and the work that each makes. */

import { z } from 'zod';

const SECONDS_PER_HOUR = 3_600;
const MILLION = 1_000_000;
/** A segment's row and its list's are inserted and deleted, each with an entry of an index. */
const ROWS_PER_SEGMENT = 5;
/** A Durable Object is billed with 128 MB whatever it uses. */
const OBJECT_GB = 0.128;
const BITS_PER_GB = 8e9;

const price = z.number().nonnegative();
/** `deploy/cloudflare/prices.json`. */
export const pricesSchema = z.strictObject({
  date: z.iso.date(),
  currency: z.string(),
  source: z.string(),
  perMillion: z.strictObject({
    workerRequests: price,
    workerCpuMs: price,
    objectRequests: price,
    objectGbSeconds: price,
    objectRowsRead: price,
    objectRowsWritten: price,
    r2ClassA: price,
    r2ClassB: price,
    analyticsPoints: price,
  }),
  r2GbMonth: price,
  workersPaidMonth: price,
});
/** A price list. */
export type Prices = z.infer<typeof pricesSchema>;

/** A stream, and how it is watched. */
export interface Workload {
  readonly renditions: number;
  /** Seconds. */
  readonly partTarget: number;
  /** Seconds. */
  readonly segmentDuration: number;
  /** Bits per second of all renditions together. */
  readonly bitrate: number;
  /** Share of a month that segments are kept; parts go soon after their segment is there. */
  readonly monthsKept: number;
  /** Cache locations that ask the hub, each once for what all its viewers ask. */
  readonly locations: number;
  /** Renditions that a player loads at once. */
  readonly playedRenditions: number;
  /** Worker CPU of a viewer's request, milliseconds. */
  readonly requestCpuMs: number;
  /** Worker CPU of a publish request, milliseconds. */
  readonly publishCpuMs: number;
  /** Share of requests that become data points. */
  readonly deliverySample: number;
  /** Seconds between two beacons of a player; each carries the events since. */
  readonly beaconSeconds: number;
}

/** A line of a bill: how much in an hour, and what it costs. */
export interface CostLine {
  readonly what: string;
  readonly amount: number;
  readonly cost: number;
}

/** The default ladder (four rungs and audio, 10.1 Mbit/s) in 0.5 s parts, kept for the 30 days of the lifecycle rule. */
export const DEFAULT_WORKLOAD: Workload = {
  renditions: 5,
  partTarget: 0.5,
  segmentDuration: 2,
  bitrate: 10_128_000,
  monthsKept: 1,
  locations: 3,
  playedRenditions: 2,
  requestCpuMs: 0.3,
  publishCpuMs: 2,
  deliverySample: 0.1,
  beaconSeconds: 10,
};

/** An hour of one live stream, without its viewers. */
export function streamHour(prices: Prices, load: Workload): readonly CostLine[] {
  const { perMillion } = prices;
  const parts = (load.renditions * SECONDS_PER_HOUR) / load.partTarget;
  const segments = (load.renditions * SECONDS_PER_HOUR) / load.segmentDuration;
  const updates = parts + segments;
  // A reload and a part for each part, of each rendition, from each location.
  const asked = 2 * parts * load.locations;
  const gb = (load.bitrate * SECONDS_PER_HOUR) / BITS_PER_GB;
  return [
    line('R2 class A: parts and segments written', updates, perMillion.r2ClassA),
    line('Workers requests: publishing', updates, perMillion.workerRequests),
    line('Workers CPU, ms: publishing', updates * load.publishCpuMs, perMillion.workerCpuMs),
    line('Durable Object requests: publishing', updates, perMillion.objectRequests),
    line('Durable Object requests: cache locations', asked, perMillion.objectRequests),
    line('Durable Object duration, GB-s', SECONDS_PER_HOUR * OBJECT_GB, perMillion.objectGbSeconds),
    line('Durable Object rows written', segments * ROWS_PER_SEGMENT, perMillion.objectRowsWritten),
    {
      what: 'R2 storage, GB-months',
      amount: gb * load.monthsKept,
      cost: gb * load.monthsKept * prices.r2GbMonth,
    },
  ];
}

/** An hour of one viewer at the live edge; his share of what caches ask is in {@link streamHour}. */
export function viewerHour({ perMillion }: Prices, load: Workload): readonly CostLine[] {
  // A reload and a part for each part of each rendition that is played.
  const media = (2 * load.playedRenditions * SECONDS_PER_HOUR) / load.partTarget;
  const beacons = SECONDS_PER_HOUR / load.beaconSeconds;
  const requests = media + beacons;
  return [
    line('Workers requests: playlists, parts, beacons', requests, perMillion.workerRequests),
    line('Workers CPU, ms', requests * load.requestCpuMs, perMillion.workerCpuMs),
    line('Durable Object requests: who watches now', beacons, perMillion.objectRequests),
    line('Analytics Engine points', media * load.deliverySample + beacons, perMillion.analyticsPoints),
    { what: 'Egress, GB', amount: 0, cost: 0 },
  ];
}

/** Sum of a bill. */
export function total(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { cost }) => sum + cost, 0);
}

/** The tables as docs/deploy.md has them. */
export function renderCosts(prices: Prices, load: Workload): string {
  const longer = { ...load, partTarget: 1, segmentDuration: 4 };
  return [
    table('an hour of one stream', streamHour(prices, load), streamHour(prices, longer)),
    table('an hour of one viewer', viewerHour(prices, load), viewerHour(prices, longer)),
  ].join('\n\n');
}

function table(title: string, lines: readonly CostLine[], longer: readonly CostLine[]): string {
  const rows = lines.map(({ what, amount, cost }, index) => [
    what,
    count(amount),
    money(cost),
    money(longer[index]?.cost ?? 0),
  ]);
  const last = ['**together**', '', `**${money(total(lines))}**`, `**${money(total(longer))}**`];
  const head = [title, 'amount', 'USD', 'USD with 1 s parts, 4 s segments'];
  const all = [head, head.map(() => '---'), ...rows, last];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function line(what: string, amount: number, perMillion: number): CostLine {
  return { what, amount, cost: (amount * perMillion) / MILLION };
}

function count(amount: number): string {
  return amount >= 100 ? Math.round(amount).toLocaleString('en-US') : String(Number(amount.toFixed(2)));
}

function money(cost: number): string {
  return cost === 0 ? '0' : cost.toFixed(5);
}
