/** How the administration is described in OpenAPI 3.1. */

import type { ApiDescription } from '../../../shared/openapi/describe-api.ts';

/** Where the routes lie. */
export const ADMIN_PATH = '/v1/admin';

/** What holds for all its routes. */
export const ADMIN_API: ApiDescription = {
  title: 'Rill edge administration',
  prefix: ADMIN_PATH,
  bearer: { name: 'admin', description: 'A token with the scope `admin`.' },
  queryType: 'integer',
  changeParameters: [
    {
      name: 'If-Match',
      in: 'header',
      description: 'The version that is changed, as in ETag; without it whichever is in force.',
      schema: { type: 'string' },
    },
  ],
  refusals: {
    400: 'What was sent is not understood; `detail` says where.',
    401: 'No token, or one that is not valid.',
    403: 'A token without the scope `admin`.',
    404: 'No such thing.',
    412: 'Another version is in force than `If-Match` says.',
    413: 'Too large.',
  },
};
