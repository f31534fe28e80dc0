/** The routes of the control API, and how they are described. */

import type { ApiDescription } from '#shared/openapi/describe-api.ts';
import type { ControlRoute } from './control-route.ts';
import { keyRoutes } from './key-routes.ts';
import { originRoutes } from './origin-routes.ts';
import { streamRoutes } from './stream-routes.ts';

/** All routes below `/v1`. */
export const CONTROL_ROUTES: readonly ControlRoute[] = [...streamRoutes, ...keyRoutes, ...originRoutes];

/** What holds for all of them. */
export const CONTROL_API: ApiDescription = {
  title: 'Rill origin control',
  prefix: '/v1',
  bearer: { name: 'control', description: 'The value of `RILL_CONTROL_TOKEN`.' },
  queryType: 'string',
  changeParameters: [],
  refusals: {
    400: 'What was sent is not understood; `detail` says where.',
    401: 'No token, or another one.',
    404: 'No such thing.',
    409: 'It contradicts what is set elsewhere, or there is no room.',
    413: 'Too large.',
    422: 'The configuration file has mistakes; `detail` has a line for each.',
  },
};
