/** The administration's REST API below `/v1/admin`. */

import { Hono } from 'hono';
import { denialStatus } from '../../../shared/access/denial.ts';
import { describeApi } from '../../../shared/openapi/describe-api.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { errorAnswer } from '../../answer.ts';
import type { Env } from '../../env.ts';
import { placeOf } from '../../gateway/place.ts';
import { readBody } from '../../hub/read-body.ts';
import { describeError, logEvent } from '../../log.ts';
import { REGISTRY_NAME } from '../registry/access-registry.ts';
import type { AdminRoute } from './admin-route.ts';
import { authorizeAdmin } from './authorize-admin.ts';
import { ADMIN_API, ADMIN_PATH } from './openapi.ts';
import { otherRoutes } from './other-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { sessionRoutes } from './session-routes.ts';

/** Largest body, bytes: all policies at once. */
const MAX_BODY_BYTES = 4_194_304;
const IF_MATCH = /^"?([0-9]{1,15})"?$/;

const ROUTES: readonly AdminRoute[] = [...policyRoutes, ...otherRoutes, ...sessionRoutes];

type AdminApp = Hono<{ Bindings: Env }>;

/** Makes the application; `now` gives Unix seconds. */
export function createAdminApp(now: () => number): AdminApp {
  const app: AdminApp = new Hono<{ Bindings: Env }>().basePath(ADMIN_PATH);
  let description: object | undefined;
  app.get('/openapi.json', () => {
    description ??= describeApi(ROUTES, ADMIN_API);
    return Response.json(description);
  });
  for (const route of ROUTES) {
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (context) =>
      answerRoute(route, {
        request: context.req.raw,
        env: context.env,
        now: now(),
        parameter: (name) => context.req.param(name) ?? '',
      }),
    );
  }
  return app;
}

async function answerRoute(
  route: AdminRoute,
  asked: {
    readonly request: Request;
    readonly env: Env;
    readonly now: number;
    readonly parameter: (name: string) => string;
  },
): Promise<Response> {
  const { request, env, now, parameter } = asked;
  const by = await authorizeAdmin(request, {
    secret: env.RILL_PLAY_SECRET,
    place: placeOf(request, env),
    now,
  });
  if (!by.ok) {
    return refuse(by.failure);
  }
  const registry = env.ACCESS_REGISTRY?.getByName(REGISTRY_NAME);
  if (registry === undefined) {
    const detail = 'bind the Durable Object class AccessRegistry as ACCESS_REGISTRY: see wrangler.toml';
    return refuse({ reason: 'not-configured', detail });
  }
  const expected = readIfMatch(request.headers.get('if-match'));
  if (!expected.ok) {
    return errorAnswer(400, 'invalid-if-match', { detail: 'If-Match is a version, as ETag gives it, or *' });
  }
  const body = route.body === undefined ? ok(undefined) : await readJson(request);
  if (!body.ok) {
    return errorAnswer(body.failure.reason === 'too-large' ? 413 : 400, body.failure.reason, body.failure);
  }
  const query = new URL(request.url).searchParams;
  const { tokenId, viewer, session, issuedAt } = by.value;
  const call = {
    registry,
    sessions: env.VIEWER_SESSIONS,
    by: { tokenId, viewer, session, issuedAt },
    parameter,
    query,
    expected: expected.value,
    now,
  };
  return answerSafely(() => route.handle(call, body.value));
}

/** An object that is moved or restarted fails what it was asked, and does not say whether a change was made. */
async function answerSafely(answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    logEvent('error', 'access-registry-failed', { cause: describeError(error) });
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
}

function refuse(
  denial: Extract<Awaited<ReturnType<typeof authorizeAdmin>>, { readonly ok: false }>['failure'],
): Response {
  if (denial.reason === 'not-configured') {
    logEvent('error', 'admin-not-configured', { detail: denial.detail });
    return errorAnswer(503, 'not-configured', { headers: { 'retry-after': '30' } });
  }
  const { action: _action, ...facts } = denial;
  logEvent('warn', 'admin-denied', facts);
  return denialStatus(denial) === 401
    ? errorAnswer(401, 'unauthorized', { headers: { 'www-authenticate': 'Bearer realm="rill-admin"' } })
    : errorAnswer(403, 'forbidden');
}

function readIfMatch(header: string | null): Result<number | undefined, { readonly reason: 'invalid' }> {
  if (header === null || header.trim() === '*') {
    return ok(undefined);
  }
  const version = IF_MATCH.exec(header.trim())?.[1];
  return version === undefined ? fail({ reason: 'invalid' }) : ok(Number(version));
}

type BodyFailure = { readonly reason: 'too-large' | 'not-json'; readonly detail: string };

async function readJson(request: Request): Promise<Result<unknown, BodyFailure>> {
  const bytes = await readBody(request, MAX_BODY_BYTES);
  if (bytes === undefined) {
    return fail({ reason: 'too-large', detail: `at most ${MAX_BODY_BYTES} bytes` });
  }
  try {
    const json: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes),
    );
    return ok(json);
  } catch {
    return fail({ reason: 'not-json', detail: 'the body is JSON in UTF-8' });
  }
}
