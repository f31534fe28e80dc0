/** The front as it is, but that a request may say where it comes from: for tests, in which nobody else would. */

import front, { type FrontEnvironment } from '../../edge-worker/host/front-worker.ts';

/** Header with a request's `cf` in JSON. */
const PLACE_HEADER = 'x-test-place';

const placedFront: typeof front = {
  fetch: (request: Request, env: FrontEnvironment) => {
    const place = request.headers.get(PLACE_HEADER);
    return front.fetch(request, place === null ? env : { ...env, CF: JSON.parse(place) });
  },
};

// The Workers runtime finds a Worker by its default export.
// oxlint-disable-next-line import/no-default-export
export default placedFront;
