/** How the QoS writer stands, and asking it. */

import type { Env } from '../../env.ts';
import { STATUS_PATH, WRITER_NAME, WRITER_ORIGIN } from './writer-address.ts';

/** What the writer has done, in rows. */
export interface WriterStatus {
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly maxBufferedBytes: number;
  readonly written: number;
  readonly dropped: number;
  /** Events that had been taken before. */
  readonly replayed: number;
  /** What the engine said last, where it does not take rows. */
  readonly trouble: string | null;
}

/** Asks the writer; `undefined` where there is none. */
export async function writerStatus({ QOS_WRITER }: Env): Promise<WriterStatus | undefined> {
  const answer = await QOS_WRITER?.getByName(WRITER_NAME).fetch(
    new Request(`${WRITER_ORIGIN}${STATUS_PATH}`),
  );
  return answer?.json<WriterStatus>();
}
