/** Tells the object that knows the present which streams are published, so that one nobody watches is seen as well. */

import type { StreamName } from '../../../shared/identifiers.ts';
import type { Env } from '../../env.ts';
import { describeError, logEvent } from '../../log.ts';
import { Recent } from '../intake/recent.ts';
import { LIVE_PATH, NOW_NAME, NOW_ORIGIN } from './now-address.ts';

/** Time between two words of a stream from one isolate, milliseconds: some parts are published every 200 ms. */
const TELL_EVERY_MS = 5_000;
/** Streams that an isolate remembers. */
const MAX_STREAMS = 5_000;

/** When a stream was last told of, Unix ms. */
const told = new Recent<number>(MAX_STREAMS);

/** Notes that an update of a stream has been taken; publishing does not wait for it. `now` in Unix ms. */
export function tellLive(stream: StreamName, { env, now, waitUntil }: LiveContext): void {
  if (env.QOS_NOW === undefined || now - (told.get(stream) ?? 0) < TELL_EVERY_MS) {
    return;
  }
  told.set(stream, now);
  const request = new Request(`${NOW_ORIGIN}${LIVE_PATH}?stream=${stream}`, { method: 'POST' });
  waitUntil(
    env.QOS_NOW.getByName(NOW_NAME)
      .fetch(request)
      .then((answer) => answer.body?.cancel())
      .catch((error: unknown) => {
        logEvent('warn', 'qos-now-away', { cause: describeError(error) });
      }),
  );
}

/** Where it is told. */
export interface LiveContext {
  readonly env: Env;
  readonly now: number;
  readonly waitUntil: (work: Promise<unknown>) => void;
}
