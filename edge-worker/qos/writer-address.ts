/** How the QoS writer, a Durable Object, is called. */

/** The one writer: what it takes are batches, some a second from each isolate. */
export const WRITER_NAME = 'writer';
/** Origin of its addresses; nothing but the object answers there. */
export const WRITER_ORIGIN = 'https://qos-writer.rill';
/** `POST`: lines of JSONEachRow for ClickHouse. */
export const ROWS_PATH = '/rows';
/** `POST`: a JSON array of points for Analytics Engine. */
export const POINTS_PATH = '/points';
/** `GET`: what is buffered, written and dropped. */
export const STATUS_PATH = '/status';
