/** How the QoS writer, a Durable Object, is called. */

/** The one writer: what it takes are batches, some a second from each isolate. */
export const WRITER_NAME = 'writer';
/** Origin of its addresses; nothing but the object answers there. */
export const WRITER_ORIGIN = 'https://qos-writer.rill';
/** `POST`: row lines for ClickHouse, their rows in JSONEachRow. */
export const ROWS_PATH = '/rows';
/** `POST`: row lines for Analytics Engine, their rows points in JSON. */
export const POINTS_PATH = '/points';
/** `GET`: what is buffered, written and dropped. */
export const STATUS_PATH = '/status';
/** Rows that the caller has dropped since its last call. */
export const DROPPED_HEADER = 'x-rill-dropped';
