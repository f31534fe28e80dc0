/** One session: what it went through, as a strip and as a table. */

import { askReport, type Row } from './ask.ts';
import { find, make } from './element.ts';
import { bitrate, clock, count, duration, orNothing, percent } from './format.ts';
import { fillTable, type Column } from './table.ts';

/** A time of a session on the strip, Unix ms. */
export interface Span {
  readonly kind: 'watched' | 'stalled' | 'error';
  readonly from: number;
  readonly to: number;
}

/**
 * Times watched, stalled and of errors: an event tells of the time since the one before it, watched before stalled
 * unless it is the end of a stall.
 */
export function spansOf(events: readonly Row[]): readonly Span[] {
  return events.flatMap((event): readonly Span[] => {
    const at = Number(event['at_ms']);
    const stalled = Number(event['stalled_ms']);
    const watched = Number(event['watched_ms']);
    const stall: Span = { kind: 'stalled', from: at - stalled, to: at };
    const watch: Span = { kind: 'watched', from: at - stalled - watched, to: at - stalled };
    return [
      ...(watched > 0 ? [watch] : []),
      ...(stalled > 0 ? [stall] : []),
      ...(event['event'] === 'error' ? [{ kind: 'error', from: at, to: at } as const] : []),
    ];
  });
}

/** Asks for a session's events and shows them. */
export async function showSession(session: string, stream: string | undefined): Promise<void> {
  const events = await askReport(`session/${encodeURIComponent(session)}`, { stream });
  const place = find('session', HTMLElement);
  place.hidden = false;
  find('session-about', HTMLElement).textContent = about(session, events);
  showStrip(events);
  fillTable(find('session-events', HTMLTableElement), columns(events), {
    rows: events,
    none: 'Nothing of this session is recorded in the last day.',
  });
}

function about(session: string, events: readonly Row[]): string {
  const [first] = events;
  const words = ['stream', 'country', 'asn', 'device', 'browser', 'os', 'player', 'protocol'].flatMap(
    (name) => {
      const value = first?.[name];
      return value === undefined || value === '' ? [] : [name === 'asn' ? `AS${value}` : String(value)];
    },
  );
  return [session, ...words].join(' · ');
}

function showStrip(events: readonly Row[]): void {
  const strip = find('session-strip', HTMLElement);
  const spans = spansOf(events);
  const times = [...events.map((event) => Number(event['at_ms'])), ...spans.map(({ from }) => from)];
  const from = Math.min(...times);
  const length = Math.max(Math.max(...times) - from, 1);
  const total = (kind: Span['kind']): number =>
    spans.filter((span) => span.kind === kind).reduce((sum, span) => sum + span.to - span.from, 0);
  const watched = total('watched');
  const stalled = total('stalled');
  const errors = spans.filter(({ kind }) => kind === 'error').length;
  strip.ariaLabel = `watched ${duration(watched)}, stalled ${duration(stalled)} (${percent(
    stalled / Math.max(watched + stalled, 1),
  )}), ${count(errors)} errors`;
  strip.replaceChildren(
    ...spans.map((span) => {
      const piece = make('span', { className: span.kind });
      piece.style.left = `${((span.from - from) / length) * 100}%`;
      piece.style.width = `${((span.to - span.from) / length) * 100}%`;
      return piece;
    }),
  );
}

function columns(events: readonly Row[]): readonly Column<Row>[] {
  const start = Number(events[0]?.['at_ms'] ?? 0);
  const figure = (name: string, format: (value: number) => string): ((row: Row) => string) => {
    return (row) => orNothing(Number(row[name]) > 0 ? Number(row[name]) : null, format);
  };
  return [
    { title: 'Event', isText: true, cell: (row) => String(row['event']).replaceAll('_', ' ') },
    { title: 'At', cell: (row) => clock(Number(row['at_ms']) / 1000) },
    { title: 'After', cell: (row) => duration(Number(row['at_ms']) - start) },
    { title: 'Startup', cell: figure('startup_ms', duration) },
    { title: 'Watched', cell: figure('watched_ms', duration) },
    { title: 'Stalled', cell: figure('stalled_ms', duration), isBad: (row) => Number(row['stalled_ms']) > 0 },
    { title: 'Rendition', cell: (row) => String(row['rendition'] ?? '') },
    { title: 'Bit rate', cell: figure('bitrate', bitrate) },
    { title: 'Latency', cell: figure('latency_ms', duration) },
    { title: 'Buffer', cell: figure('buffer_ms', duration) },
    { title: 'Dropped', cell: figure('dropped_frames', count) },
    {
      title: 'Detail',
      isText: true,
      cell: (row) =>
        [row['error_code'], row['detail']].filter((text) => text !== '' && text !== undefined).join(': '),
      isBad: (row) => row['event'] === 'error',
    },
  ];
}
