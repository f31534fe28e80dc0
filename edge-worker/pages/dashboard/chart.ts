/** A chart over time by uPlot, with a table of the same values beside it. */

import uPlot from 'uplot';
import type { Row } from './ask.ts';
import { make } from './element.ts';
import { clock, orNothing, type Format } from './format.ts';
import { fillTable } from './table.ts';

/** A line of a chart. */
export interface Line {
  readonly name: string;
  /** Figure of the report. */
  readonly figure: string;
}

/** What a chart shows. */
export interface ChartDefinition {
  readonly title: string;
  readonly report: string;
  readonly lines: readonly Line[];
  readonly format: Format;
  /** Figure that is 0 where nothing was measured; such rows are gaps. */
  readonly measuredBy?: string;
  /** A time without a row is 0, not a gap. */
  readonly isCount?: boolean;
  /** The axis goes at least so far, so that a trifle does not look like a mountain. */
  readonly least: number;
}

const HEIGHT = 208;
const COLOURS = ['--accent', '--second', '--bad'];
const DASHES = [[], [6, 4], [2, 3]];
/** Characters of the widest number at the axis. */
const AXIS_SIZE = 68;
const DAY_SECONDS = 86_400;
const TIME_AXIS_SIZE = 30;
/** Steps between the axis marks of a count, which is whole. */
const COUNT_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000];

type Values = readonly (readonly (number | null)[])[];

/** A chart in its place on the page. */
export class Chart {
  readonly definition: ChartDefinition;
  readonly element: HTMLElement;
  readonly #place = make('div', { className: 'plot' });
  readonly #table = make('table');
  #plot: uPlot | undefined;
  #times: readonly number[] = [];
  #values: Values = [];

  constructor(definition: ChartDefinition) {
    this.definition = definition;
    const region = make('div', { className: 'scroll' }, this.#table);
    region.tabIndex = 0;
    region.role = 'region';
    region.ariaLabel = `Values of ${definition.title}`;
    const details = make('details', {}, make('summary', {}, 'Table of values'), region);
    // The canvas says nothing to a screen reader: the table does.
    this.#place.setAttribute('aria-hidden', 'true');
    this.element = make(
      'article',
      { className: 'chart' },
      make('h3', {}, definition.title),
      this.#place,
      details,
    );
    new ResizeObserver(() => this.#fit()).observe(this.#place);
  }

  /** Shows rows, one for each of `times`; a time without a row is a gap. */
  show(rows: readonly Row[], times: readonly number[]): void {
    const { lines, format, measuredBy, isCount } = this.definition;
    const missing = isCount === true && rows.length > 0 ? 0 : null;
    const byTime = new Map(rows.map((row) => [Number(row['time']), row]));
    this.#times = times;
    this.#values = lines.map(({ figure }) =>
      times.map((time) => {
        const row = byTime.get(time);
        const isMeasured = row !== undefined && (measuredBy === undefined || Number(row[measuredBy]) > 0);
        return isMeasured ? Number(row[figure]) : missing;
      }),
    );
    this.draw();
    const shown = times.map((time, index) => ({
      time,
      values: this.#values.map((line) => line[index] ?? null),
    }));
    fillTable(
      this.#table,
      [
        { title: 'Time', isText: true, cell: ({ time }) => clock(time) },
        ...lines.map(({ name }, line) => ({
          title: name,
          cell: ({ values }: (typeof shown)[number]) => orNothing(values[line], format),
        })),
      ],
      {
        rows: shown.filter(({ values }) => values.some((value) => value !== null)).toReversed(),
        none: 'Nothing was measured.',
      },
    );
  }

  /** Draws again, as after a change of colours. */
  draw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (!this.#values.some((line) => line.some((value) => value !== null))) {
      this.#place.replaceChildren(make('p', { className: 'nothing' }, 'Nothing was measured in this time.'));
      return;
    }
    this.#place.replaceChildren();
    const data: uPlot.AlignedData = [[...this.#times], ...this.#values.map((line) => [...line])];
    this.#plot = new uPlot(this.#options(), data, this.#place);
  }

  #options(): uPlot.Options {
    const { format, lines, isCount, least } = this.definition;
    const quiet = colour('--quiet');
    const axis = { stroke: quiet, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(this.#place.clientWidth, 200),
      height: HEIGHT,
      cursor: { y: false, sync: { key: 'time' } },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, least)] } },
      axes: [
        {
          ...axis,
          size: TIME_AXIS_SIZE,
          values: (_plot, splits) => splits.map((at) => timeMark(at, this.#span())),
        },
        {
          ...axis,
          size: AXIS_SIZE,
          ...(isCount === true ? { incrs: COUNT_STEPS } : {}),
          values: (_plot, splits) => splits.map((value) => format(value)),
        },
      ],
      series: [
        { label: 'Time', value: (_plot, at) => orNothing(at, clock) },
        ...lines.map(({ name }, index) => ({
          label: name,
          stroke: colour(COLOURS[index] ?? '--text'),
          dash: DASHES[index] ?? [],
          width: 2,
          points: { show: this.#isSparse(), size: 5 },
          value: (_plot: uPlot, value: number | null) => orNothing(value, format),
        })),
      ],
    };
  }

  #span(): number {
    return (this.#times.at(-1) ?? 0) - (this.#times[0] ?? 0);
  }

  /** A lone value between gaps makes no line: it is drawn as a point. */
  #isSparse(): boolean {
    return this.#values.some((line) => line.filter((value) => value !== null).length < line.length / 3);
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (this.#plot !== undefined && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT });
    }
  }
}

/** The time of day, and the day where the chart has several. */
function timeMark(at: number, span: number): string {
  return span > DAY_SECONDS
    ? new Date(at * 1000).toLocaleDateString([], { month: 'short', day: 'numeric' })
    : clock(at).slice(0, 5);
}

/** The value of a custom property in the colours of the moment. */
function colour(property: string): string {
  const probe = make('span');
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
