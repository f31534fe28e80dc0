/** A row on its way to the writer: what it is known by, and its text as the engine takes it. */

/** An event of a player, which counts once however often it comes. */
export interface EventKey {
  /** Stored id of its session. */
  readonly session: string;
  /** Its number within the session. */
  readonly seq: number;
}

const SEPARATOR = '\t';
const KEY = /^([A-Za-z0-9_-]{1,64}) ([0-9]{1,16})$/;

/** Renders a row with its key, or without one where it comes of a request that the edge answered. */
export function renderRowLine(key: EventKey | undefined, row: string): string {
  // JSON has no bare tab, so the first one ends the key.
  return `${key === undefined ? '' : `${key.session} ${key.seq}`}${SEPARATOR}${row}`;
}

/** Reads a line back; one without a readable key has none. */
export function parseRowLine(line: string): { readonly key: EventKey | undefined; readonly row: string } {
  const end = line.indexOf(SEPARATOR);
  const [, session, seq] = KEY.exec(line.slice(0, Math.max(0, end))) ?? [];
  const row = line.slice(end + 1);
  return session === undefined ? { key: undefined, row } : { key: { session, seq: Number(seq) }, row };
}
