/** The present: tiles over all streams, and a row for each. */

import type { StreamNow } from '../../qos/now/live-sessions.ts';
import { find, make } from './element.ts';
import { bitrate, count, duration, orNothing, percent } from './format.ts';
import { fillTable, tableButton, type Column } from './table.ts';

/** Share of time stalled from which on a figure is marked. */
export const BAD_REBUFFERING = 0.01;

/** What a row's buttons do. */
export interface NowActions {
  readonly choose: (stream: string) => void;
  readonly picture: (stream: string) => void;
}

/** Shows the present of all streams given. */
export function showNow(streams: readonly StreamNow[], actions: NowActions): void {
  const sum = (of: (one: StreamNow) => number): number => streams.reduce((total, one) => total + of(one), 0);
  showTiles([
    ['Viewers', count(sum((one) => one.viewers))],
    ['Standing still', count(sum((one) => one.stalled))],
    [
      'Rebuffering',
      orNothing(
        mean(streams, (one) => one.rebufferingRatio),
        percent,
      ),
    ],
    [
      'Latency',
      orNothing(
        mean(streams, (one) => one.latencyMs),
        duration,
      ),
    ],
    [
      'Bit rate',
      orNothing(
        mean(streams, (one) => one.bitrate),
        bitrate,
      ),
    ],
    ['Errors in 10 s', count(sum((one) => one.errors))],
  ]);
  fillTable(find('streams', HTMLTableElement), columns(actions), {
    rows: streams.toSorted((one, other) => other.viewers - one.viewers),
    none: 'No stream is live, and nobody is watching.',
  });
}

function columns({ choose, picture }: NowActions): readonly Column<StreamNow>[] {
  return [
    {
      title: 'Stream',
      isText: true,
      cell: ({ stream }) =>
        tableButton(stream, `stream-${stream}`, () => choose(stream), `Show ${stream} over time`),
    },
    { title: 'State', isText: true, cell: ({ live }) => (live ? 'live' : 'not live') },
    { title: 'Viewers', cell: (one) => count(one.viewers) },
    {
      title: 'Standing still',
      cell: (one) => count(one.stalled),
      isBad: (one) => one.stalled > one.viewers / 10,
    },
    {
      title: 'Rebuffering',
      cell: (one) => orNothing(one.rebufferingRatio, percent),
      isBad: (one) => (one.rebufferingRatio ?? 0) > BAD_REBUFFERING,
    },
    { title: 'Latency', cell: (one) => orNothing(one.latencyMs, duration) },
    { title: 'Bit rate', cell: (one) => orNothing(one.bitrate, bitrate) },
    { title: 'Starts', cell: (one) => count(one.starts) },
    { title: 'Errors', cell: (one) => count(one.errors), isBad: (one) => one.errors > 0 },
    {
      title: 'Picture',
      cell: ({ stream }) =>
        tableButton('show', `picture-${stream}`, () => picture(stream), `Show the live picture of ${stream}`),
    },
  ];
}

/** Mean over the streams that measured it, each with its viewers' weight. */
function mean(streams: readonly StreamNow[], of: (one: StreamNow) => number | null): number | null {
  let total = 0;
  let weight = 0;
  for (const one of streams) {
    const value = of(one);
    if (value !== null) {
      total += value * Math.max(one.viewers, 1);
      weight += Math.max(one.viewers, 1);
    }
  }
  return weight === 0 ? null : total / weight;
}

function showTiles(tiles: readonly (readonly [name: string, value: string])[]): void {
  const list = find('tiles', HTMLDListElement);
  if (list.children.length === 0) {
    list.append(...tiles.map(([name]) => make('div', {}, make('dt', {}, name), make('dd'))));
  }
  for (const [index, [, value]] of tiles.entries()) {
    const cell = list.children[index]?.querySelector('dd');
    if (cell !== null && cell !== undefined && cell.textContent !== value) {
      cell.textContent = value;
    }
  }
}
