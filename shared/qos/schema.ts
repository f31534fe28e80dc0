/**
 * The one definition of the QoS table: what each of Analytics Engine's positional columns holds. Types, the
 * ClickHouse table, the rows that are written and the documentation all come from it.
 */

/** Name of the table, and of the Analytics Engine data set. */
export const QOS_TABLE = 'rill_qos';

/** How long ClickHouse keeps a row, days; Analytics Engine keeps three months. */
export const RETENTION_DAYS = 90;

/** What a row tells of. */
export const DELIVERY_EVENT = 'delivery';

/** The table's text columns, `blob1` onwards; the order is for ever, since rows are written by position. */
const BLOBS = {
  event:
    'what happened: `session_start`, `startup`, `heartbeat`, `stall_begin`, `stall_end`, `rendition_switch`, `seek`, `error`, `end`, or `delivery` for a request that the edge answered',
  session: 'playback session: a keyed hash of the id that the player chose and of the viewer',
  viewer: 'viewer: a hash under a key that changes each day (UTC), so that days cannot be joined',
  country: 'ISO 3166-1 alpha-2 country of the request',
  region: 'ISO 3166-2 subdivision code of the request',
  asn: 'number of the autonomous system of the request',
  colo: 'data centre that took the request',
  protocol: 'HTTP protocol of the request, like `HTTP/3`',
  rendition: 'rendition in the picture as its height (`720p`), in `delivery` its name',
  device: '`desktop`, `mobile`, `tablet`, `tv`, `console`, `bot` or `other`',
  browser: 'browser, or player application, by the user agent',
  os: 'operating system by the user agent',
  player: 'player, as it calls itself',
  player_version: 'version of the player',
  error_code: "the player's code of an error",
  detail: 'what else the player said, at most 200 characters',
  source: 'who told it: `beacon`, `cmcd` or `edge`',
  served_by: 'in `delivery`: `hub`, `storage`, or `none` where no media came of it',
  resource: 'in `delivery`: `multivariant-playlist`, `media-playlist`, `init`, `segment` or `part`',
  reserved: 'empty',
} as const;

/** The table's numbers, `double1` onwards; 0 stands for what was not measured. */
const DOUBLES = {
  watched_ms: 'time played since the previous event of the session, ms',
  stalled_ms: 'time stalled since the previous event, after the first frame; no seek, no pause, ms',
  startup_ms: 'with `startup`: from the request to play to the first frame that moves, ms',
  bitrate: 'bit rate of the rendition in the picture, bits/s',
  height: 'lines of the rendition in the picture',
  latency_ms: "from the camera's clock to the picture, ms",
  buffer_ms: 'media ahead of the picture, ms',
  dropped_frames: 'frames dropped since the previous event',
  decoded_frames: 'frames decoded since the previous event',
  played_rate: 'rate of playback',
  seq: "event's number within its session",
  rtt_ms: "round-trip time of the viewer's connection as the platform saw it, ms",
  status: 'in `delivery`: HTTP status',
  bytes: "in `delivery`: bytes of the answer's body",
  ttfb_ms: 'in `delivery`: from the request to the first byte of the answer, ms',
  cache_hit: 'in `delivery`: 1 where a cache answered, else 0',
  exit_before_start: '1 before the first frame: with `end` the viewer left, with `error` playback failed',
  throughput: 'throughput that the player measured, bits/s',
  at_ms: "when it happened, Unix ms, the viewer's clock corrected; `timestamp` is when it was taken in",
  weight: "how many of its kind the row stands for under Rill's own sampling",
} as const;

/** Name of a text column. */
export type BlobName = keyof typeof BLOBS;
/** Name of a number column. */
export type DoubleName = keyof typeof DOUBLES;
/** Name of any column of a point. */
export type ColumnName = 'stream' | BlobName | DoubleName;

/** One thing that happened, by column name; what is left out is empty or 0. */
export type QosPoint = { readonly stream: string } & {
  readonly [name in BlobName]?: string;
} & { readonly [name in DoubleName]?: number };

/** A column of the table. */
export interface QosColumn {
  readonly name: ColumnName;
  /** Its name on every engine: `index1`, `blob7`, `double3`. */
  readonly position: string;
  readonly meaning: string;
}

const BLOB_NAMES = namesOf(BLOBS);
const DOUBLE_NAMES = namesOf(DOUBLES);

/** Every column of a point in the table's order. */
export const QOS_COLUMNS: readonly QosColumn[] = [
  { name: 'stream', position: 'index1', meaning: 'the stream' },
  ...BLOB_NAMES.map((name, index) => ({ name, position: `blob${index + 1}`, meaning: BLOBS[name] })),
  ...DOUBLE_NAMES.map((name, index) => ({ name, position: `double${index + 1}`, meaning: DOUBLES[name] })),
];

const POSITIONS = new Map(QOS_COLUMNS.map(({ name, position }) => [name, position]));

/** The name under which a column goes on every engine. */
export function position(name: ColumnName): string {
  const found = POSITIONS.get(name);
  if (found === undefined) {
    throw new Error(`the QoS table has no column ${name}`);
  }
  return found;
}

/** A point as Analytics Engine takes it; its limits are 20 blobs of together 16 KB and an index of 96 bytes. */
export interface PositionalPoint {
  readonly indexes: string[];
  readonly blobs: string[];
  readonly doubles: number[];
}

/** Longest text of a column, characters: 20 of them stay below Analytics Engine's 16 KB. */
const MAX_TEXT = 200;

/** Puts a point's values into their positions. */
export function positional(point: QosPoint): PositionalPoint {
  return {
    indexes: [point.stream.slice(0, MAX_TEXT)],
    blobs: BLOB_NAMES.map((name) => (point[name] ?? '').slice(0, MAX_TEXT)),
    doubles: DOUBLE_NAMES.map((name) => finite(point[name] ?? (name === 'weight' ? 1 : 0))),
  };
}

/** Renders a point as a line of ClickHouse's JSONEachRow, without what is empty or 0; `timestamp` in Unix seconds. */
export function jsonRow(point: PositionalPoint, timestamp: number): string {
  const row: Record<string, string | number> = { timestamp };
  const put = (kind: string, values: readonly (string | number)[]): void => {
    for (const [index, value] of values.entries()) {
      if (value !== '' && value !== 0) {
        row[`${kind}${index + 1}`] = value;
      }
    }
  };
  put('index', point.indexes);
  put('blob', point.blobs);
  put('double', point.doubles);
  return JSON.stringify(row);
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function namesOf<Name extends string>(columns: Readonly<Record<Name, string>>): readonly Name[] {
  return Object.keys(columns) as Name[];
}
