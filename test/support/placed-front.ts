/** The front as it is, but that a request may say where it comes from: for tests, in which nobody else would. */

import { behindFront as behindPlainFront } from '../../edge-worker/host/front.ts';

/** Header with a request's `cf` in JSON. */
const PLACE_HEADER = 'x-test-place';

/** Puts a front before a Worker, one for each request: that is how `cf` can differ. */
export const behindFront: typeof behindPlainFront = (worker, options) => ({
  ...worker,
  fetch: (request: Request, env: unknown, context: unknown) => {
    const place = request.headers.get(PLACE_HEADER);
    const placed = place === null ? options : { ...options, cf: JSON.parse(place) };
    return behindPlainFront(worker, placed).fetch(request, env, context);
  },
});
