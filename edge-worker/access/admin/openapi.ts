/** Describes the administration in OpenAPI 3.1, from the schemas by which its bodies are read. */

import { z } from 'zod';
import type { AdminRoute, NamedSchema } from './admin-route.ts';

/** Where the routes lie. */
export const ADMIN_PATH = '/v1/admin';

const REFUSALS = {
  400: 'What was sent is not understood; `detail` says where.',
  401: 'No token, or one that is not valid.',
  403: 'A token without the scope `admin`.',
  404: 'No such thing.',
  412: 'Another version is in force than `If-Match` says.',
  413: 'Too large.',
} as const;

/** The description of some routes. */
export function describeApi(routes: readonly AdminRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  const schemas: Record<string, object> = { Refusal: schemaOf(REFUSAL) };
  for (const route of routes) {
    for (const named of [route.body, route.answer]) {
      if (named !== undefined) {
        schemas[named.name] ??= schemaOf(named);
      }
    }
    const path = (paths[ADMIN_PATH + route.path] ??= {});
    path[route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Rill edge administration', version: '1' },
    security: [{ admin: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        admin: { type: 'http', scheme: 'bearer', description: 'A token with the scope `admin`.' },
      },
    },
  };
}

const REFUSAL: NamedSchema = {
  name: 'Refusal',
  schema: z.object({ error: z.string(), detail: z.string().optional() }),
};

function describeRoute(route: AdminRoute): object {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'integer' },
  }));
  const precondition = {
    name: 'If-Match',
    in: 'header',
    description: 'The version that is changed, as in ETag; without it whichever is in force.',
    schema: { type: 'string' },
  };
  const answers = Object.entries(REFUSALS).map(([status, description]) => [
    status,
    { description, content: contentOf(REFUSAL) },
  ]);
  return {
    summary: route.summary,
    parameters: [...inPath, ...inQuery, ...(route.method === 'GET' ? [] : [precondition])],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body) } }),
    responses: {
      200: { description: 'Done.', content: contentOf(route.answer) },
      ...Object.fromEntries(answers),
    },
  };
}

function contentOf({ name }: NamedSchema): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function schemaOf({ schema }: NamedSchema): object {
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return described;
}
