/** What is asked of the engine: charts over time, the table by place, the sessions that stalled most. */

import { askReport, type Row } from './ask.ts';
import { Chart, type ChartDefinition } from './chart.ts';
import { find } from './element.ts';
import { bitrate, clock, count, duration, hours, percent } from './format.ts';
import { BAD_REBUFFERING } from './now.ts';
import { fillTable, tableButton, type Column } from './table.ts';

/** A choice of time: its length, and that of a row, seconds. */
export interface Range {
  readonly text: string;
  readonly seconds: number;
  readonly step: number;
  /** Pause between two refreshes, milliseconds. */
  readonly every: number;
}

/** The times that are offered. */
export const RANGES: Readonly<Record<string, Range>> = {
  '15m': { text: '15 minutes', seconds: 900, step: 15, every: 15_000 },
  '1h': { text: '1 hour', seconds: 3_600, step: 60, every: 30_000 },
  '6h': { text: '6 hours', seconds: 21_600, step: 300, every: 60_000 },
  '24h': { text: '24 hours', seconds: 86_400, step: 900, every: 120_000 },
  '7d': { text: '7 days', seconds: 604_800, step: 7_200, every: 300_000 },
};

const CHARTS: readonly ChartDefinition[] = [
  {
    ...{ title: 'Viewers', least: 2, report: 'concurrents', format: count, isCount: true },
    lines: [{ name: 'viewers', figure: 'concurrent' }],
  },
  {
    ...{
      title: 'Rebuffering',
      least: 0.02,
      report: 'rebuffering',
      format: percent,
      measuredBy: 'watched_ms',
    },
    lines: [{ name: 'share of time stalled', figure: 'rebuffering_ratio' }],
  },
  {
    ...{ title: 'Startup time', least: 500, report: 'startup', format: duration, measuredBy: 'starts' },
    lines: [
      { name: 'median', figure: 'p50_ms' },
      { name: '95th percentile', figure: 'p95_ms' },
    ],
  },
  {
    ...{ title: 'Latency', least: 1_000, report: 'latency', format: duration, measuredBy: 'samples' },
    lines: [
      { name: 'median', figure: 'p50_ms' },
      { name: '95th percentile', figure: 'p95_ms' },
    ],
  },
  {
    ...{ title: 'Bit rate', least: 1_000_000, report: 'bitrate', format: bitrate, measuredBy: 'watched_ms' },
    lines: [{ name: 'mean', figure: 'mean_bitrate' }],
  },
  {
    ...{ title: 'Errors and exits', least: 2, report: 'failures', format: count, isCount: true },
    lines: [
      { name: 'errors', figure: 'errors' },
      { name: 'exits before start', figure: 'exits_before_start' },
      { name: 'start failures', figure: 'start_failures' },
    ],
  },
];

/** What is asked about. */
export interface Asked {
  readonly stream: string | undefined;
  readonly range: Range;
  /** Dimensions of the table, separated by commas. */
  readonly by: string;
}

/** The charts on the page. */
export class History {
  readonly #charts = CHARTS.map((definition) => new Chart(definition));

  constructor() {
    find('charts', HTMLElement).append(...this.#charts.map(({ element }) => element));
  }

  /** Asks for everything and shows each answer as it comes; `isCurrent` tells whether it is still wanted. */
  async refresh(asked: Asked, isCurrent: () => boolean, open: (session: string) => void): Promise<void> {
    const { stream, range } = asked;
    // The step under way is left out: its counts are not whole yet.
    const to = Math.floor(Date.now() / 1000 / range.step) * range.step;
    const window = { stream, from: String(to - range.seconds), to: String(to) };
    const times = Array.from(
      { length: range.seconds / range.step },
      (_, index) => to - range.seconds + index * range.step,
    );
    for (const chart of this.#charts) {
      const rows = await askReport(chart.definition.report, { ...window, step: `${range.step}s` });
      if (!isCurrent()) {
        return;
      }
      chart.show(rows, times);
    }
    const whole = { stream, from: window.from };
    const places = await askReport('top', { ...whole, by: asked.by });
    const sessions = await askReport('worst', whole);
    if (isCurrent()) {
      showPlaces(places, asked.by);
      showSessions(sessions, open);
    }
  }

  /** Draws again in the colours of the moment. */
  redraw(): void {
    for (const chart of this.#charts) {
      chart.draw();
    }
  }
}

function showPlaces(rows: readonly Row[], by: string): void {
  const dimensions = by.split(',');
  fillTable<Row>(
    find('where', HTMLTableElement),
    [
      ...dimensions.map((name) => ({
        title: name === 'asn' ? 'ASN' : name[0]?.toUpperCase() + name.slice(1),
        isText: true,
        cell: (row: Row) => placeName(name, String(row[name] ?? '')),
      })),
      { title: 'Sessions', cell: (row) => count(Number(row['sessions'])) },
      { title: 'Watched', cell: (row) => hours(Number(row['watched_hours'])) },
      {
        title: 'Rebuffering',
        cell: (row) => percent(Number(row['rebuffering_ratio'])),
        isBad: (row) => Number(row['rebuffering_ratio']) > BAD_REBUFFERING,
      },
      { title: 'Stalls', cell: (row) => count(Number(row['stalls'])) },
      {
        title: 'Errors',
        cell: (row) => count(Number(row['errors'])),
        isBad: (row) => Number(row['errors']) > 0,
      },
    ],
    { rows, none: 'Nobody watched in this time.' },
  );
}

/** A dimension's value for people: a country by its name, a network by `AS` and its number. */
function placeName(dimension: string, value: string): string {
  if (value === '') {
    return 'unknown';
  }
  if (dimension === 'asn') {
    return `AS${value}`;
  }
  if (dimension === 'country' && /^[A-Z]{2}$/.test(value)) {
    return `${value} ${new Intl.DisplayNames(['en'], { type: 'region' }).of(value) ?? ''}`.trim();
  }
  return value;
}

function showSessions(rows: readonly Row[], open: (session: string) => void): void {
  const columns: readonly Column<Row>[] = [
    {
      title: 'Session',
      isText: true,
      cell: (row) => {
        const id = String(row['session']);
        return tableButton(
          id.slice(0, 10),
          `session-${id}`,
          () => open(id),
          `Timeline of session ${id.slice(0, 10)}`,
        );
      },
    },
    { title: 'Country', isText: true, cell: (row) => placeName('country', String(row['country'])) },
    { title: 'ASN', isText: true, cell: (row) => placeName('asn', String(row['asn'])) },
    { title: 'Browser', isText: true, cell: (row) => String(row['browser']) },
    {
      title: 'Startup',
      cell: (row) => (Number(row['startup_ms']) > 0 ? duration(Number(row['startup_ms'])) : ''),
    },
    { title: 'Watched', cell: (row) => duration(Number(row['watched_ms'])) },
    { title: 'Stalled', cell: (row) => duration(Number(row['stalled_ms'])), isBad: (row) => isStalled(row) },
    { title: 'Stalls', cell: (row) => count(Number(row['stalls'])) },
    {
      title: 'Errors',
      cell: (row) => count(Number(row['errors'])),
      isBad: (row) => Number(row['errors']) > 0,
    },
    { title: 'Last heard', cell: (row) => clock(Number(row['last_heard'])) },
  ];
  fillTable(find('sessions', HTMLTableElement), columns, { rows, none: 'Nobody watched in this time.' });
}

function isStalled(row: Row): boolean {
  const stalled = Number(row['stalled_ms']);
  return stalled / Math.max(stalled + Number(row['watched_ms']), 1) > BAD_REBUFFERING;
}
