/** The front as it is, but that a request may say where it comes from: for tests, in which nobody else would. */

import { behindFront as behindPlainFront } from '../../edge-worker/host/front.ts';

/** Header with a request's `cf` in JSON. */
const PLACE_HEADER = 'x-test-place';

/** Puts a front before a Worker whose requests have the `cf` that their header says. */
export const behindFront: typeof behindPlainFront = (worker, options) =>
  behindPlainFront(
    {
      ...worker,
      fetch: (request: Request, env: unknown, context: unknown) => {
        const place = request.headers.get(PLACE_HEADER);
        const placed =
          place === null ? request : Object.defineProperty(request, 'cf', { value: JSON.parse(place) });
        return worker.fetch(placed, env, context);
      },
    },
    options,
  );
