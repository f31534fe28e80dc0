/** Describes an HTTP API in OpenAPI 3.1, from the schemas by which its bodies are read. */

import { z } from 'zod';

/** A schema with the name under which the API's description has it. */
export interface NamedSchema {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** What is described of a route. */
export interface DescribedRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the API's prefix, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  /** Parameters of the query and what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: NamedSchema;
  /** `undefined`: an answer without a body of JSON. */
  readonly answer?: NamedSchema | undefined;
}

/** What holds for all routes of an API. */
export interface ApiDescription {
  readonly title: string;
  readonly prefix: string;
  /** Name of the way to be authorized, and the token that is meant. */
  readonly bearer: { readonly name: string; readonly description: string };
  /** JSON schema type of what a query holds. */
  readonly queryType: 'integer' | 'string';
  /** Parameters of every route that changes something. */
  readonly changeParameters: readonly object[];
  /** Statuses with `{ error, detail }`. */
  readonly refusals: Readonly<Record<number, string>>;
}

const REFUSAL: NamedSchema = {
  name: 'Refusal',
  schema: z.object({ error: z.string(), detail: z.string().optional() }),
};

/** The description of some routes. */
export function describeApi(routes: readonly DescribedRoute[], api: ApiDescription): object {
  const paths: Record<string, Record<string, object>> = {};
  const schemas: Record<string, object> = { Refusal: schemaOf(REFUSAL) };
  for (const route of routes) {
    for (const named of [route.body, route.answer]) {
      if (named !== undefined) {
        schemas[named.name] ??= schemaOf(named);
      }
    }
    const path = (paths[api.prefix + route.path] ??= {});
    path[route.method.toLowerCase()] = describeRoute(route, api);
  }
  const { name, description } = api.bearer;
  return {
    openapi: '3.1.0',
    info: { title: api.title, version: '1' },
    security: [{ [name]: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: { [name]: { type: 'http', scheme: 'bearer', description } },
    },
  };
}

function describeRoute(route: DescribedRoute, api: ApiDescription): object {
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
    schema: { type: api.queryType },
  }));
  const answers = Object.entries(api.refusals).map(([status, description]) => [
    status,
    { description, content: contentOf(REFUSAL) },
  ]);
  const done =
    route.answer === undefined
      ? { description: 'Done.' }
      : { description: 'Done.', content: contentOf(route.answer) };
  return {
    summary: route.summary,
    parameters: [...inPath, ...inQuery, ...(route.method === 'GET' ? [] : api.changeParameters)],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body) } }),
    responses: { 200: done, ...Object.fromEntries(answers) },
  };
}

function contentOf({ name }: NamedSchema): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function schemaOf({ schema }: NamedSchema): object {
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return described;
}
