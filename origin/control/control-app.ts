/** The control API as an application: health, metrics, and the routes behind the bearer token. */

import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { describeApi } from '#shared/openapi/describe-api.ts';
import type { Registry } from 'prom-client';
import { equalInConstantTime } from '../constant-time.ts';
import { CONTROL_API, CONTROL_ROUTES } from './api/control-api.ts';
import { refusal, type ControlParts, type ControlRoute } from './api/control-route.ts';

/** What the routes need. */
export interface ControlAppOptions {
  /** Bearer token of the API and of the metrics. */
  readonly token: string;
  /** True when `GET /metrics` asks for no token. */
  readonly openMetrics: boolean;
  readonly parts: ControlParts;
  readonly metrics: Registry;
}

/** Longest `Authorization` header that is looked at, characters. */
const MAX_AUTHORIZATION = 1024;
/** Largest body, bytes: a ladder has a few thousand. */
const MAX_BODY_BYTES = 65_536;

/** Makes the application. */
export function createControlApp({ token, openMetrics, parts, metrics }: ControlAppOptions): Hono {
  const app = new Hono();
  const authorized = bearer(token);
  addHealth(app, parts);
  if (!openMetrics) {
    app.use('/metrics', authorized);
  }
  app.get('/metrics', async (context) =>
    context.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType }),
  );
  app.get('/v1/openapi.json', (context) => context.json(describeApi(CONTROL_ROUTES, CONTROL_API)));
  app.use('/v1/*', authorized);
  app.use('/v1/*', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: () => refusal(413, 'too-large') }));
  for (const route of CONTROL_ROUTES) {
    app.on(route.method, `/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`, (context) =>
      answer(route, context, parts),
    );
  }
  app.notFound(() => refusal(404, 'not-found', 'no such resource'));
  return app;
}

/** Live says that the process works: a restart would not bring back what else is missing. Ready says whether to send it work. */
function addHealth(app: Hono, { streams }: ControlParts): void {
  app.get('/healthz', (context) => {
    const readiness = streams.readiness();
    const status = context.req.query('ready') !== undefined && !readiness.ready ? 503 : 200;
    return context.json({ live: true, ...readiness }, status);
  });
  app.get('/readyz', (context) => {
    const readiness = streams.readiness();
    return context.json(readiness, readiness.ready ? 200 : 503);
  });
}

async function answer(route: ControlRoute, context: Context, parts: ControlParts): Promise<Response> {
  const body = route.body === undefined ? undefined : await readJson(context);
  if (body?.ok === false) {
    return refusal(400, 'not-json', 'the body is JSON in UTF-8');
  }
  const call = {
    parts,
    parameter: (name: string) => context.req.param(name) ?? '',
    query: new URL(context.req.url).searchParams,
    headers: context.req.raw.headers,
  };
  return route.handle(call, body?.json);
}

/** No body at all stands for an empty object: every setting has a default. */
async function readJson(context: Context): Promise<{ readonly ok: boolean; readonly json?: unknown }> {
  const text = await context.req.text();
  try {
    const json: unknown = text === '' ? {} : JSON.parse(text);
    return { ok: true, json };
  } catch {
    return { ok: false };
  }
}

/** RFC 6750 §2.1: the token travels in the Authorization header alone. */
function bearer(token: string): MiddlewareHandler {
  return async (context, next) => {
    const header = context.req.header('authorization') ?? '';
    const given = header.length <= MAX_AUTHORIZATION ? header : '';
    const [, shown = ''] = /^Bearer +([^ ]+)$/i.exec(given) ?? [];
    if (!equalInConstantTime(shown, token)) {
      const refused = refusal(401, 'unauthorized', 'a bearer token is needed: the control token');
      refused.headers.set('www-authenticate', 'Bearer realm="rill control"');
      return refused;
    }
    await next();
    return undefined;
  };
}
