/** The gateway: routes in the order in which a request meets them. Its answers are never cached by the platform. */

import { Hono } from 'hono';
import { ok } from '../../shared/result.ts';
import { WHOLE } from '../../shared/whole-answer.ts';
import { createAdminApp } from '../access/admin/admin-app.ts';
import { INITIAL_STATE } from '../access/registry/registry-change.ts';
import { errorAnswer } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { answerBeacon } from '../qos/answer-beacon.ts';
import { answerReport, answerSql } from '../qos/answer-reports.ts';
import { tellLive } from '../qos/now/tell-live.ts';
import { recordDelivery, type RecordAnswered } from '../qos/record-delivery.ts';
import { allowEveryOrigin, preflightAnswer } from './cors.ts';
import { answerAsset, answerDashboard, answerWatchPage } from './pages.ts';
import { OldestPlayable } from './oldest-playable.ts';
import { answerPlayback, type Deliver, type FindKept, type PlaybackContext } from './play.ts';
import { answerPublish } from './publish.ts';
import { RenditionHeights } from './rendition-heights.ts';
import { ViewerSession } from './viewer-session.ts';

/** Methods of what can only be read; Hono serves HEAD through the GET routes. */
const READ = 'GET, HEAD, OPTIONS';
const ADMIN_METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';
const READ_AND_POST = 'GET, HEAD, POST, OPTIONS';

/** Addresses of streams. */
const PLAYBACK = /^https?:\/\/[^/]+\/(?:t\/[^/]+\/)?live\//;

/** Where players report. */
const BEACON = /^https?:\/\/[^/]+\/(?:t\/[^/]+\/)?beacon(?:\?|$)/;

/** The gateway. */
export interface Gateway {
  readonly fetch: (request: Request, env: Env, context?: ExecutionContext) => Promise<Response>;
}

/** What a gateway is made of. */
interface GatewayParts {
  readonly deliver: Deliver;
  /** Asked before delivery; without it nothing is kept here. */
  readonly findKept?: FindKept;
  /** Unix seconds. */
  readonly now?: () => number;
  /** What the edge knows of who may watch; without it every stream needs a token, and nothing is revoked. */
  readonly snapshot?: PlaybackContext['snapshot'];
  /** Keeps work alive that goes on after an answer. */
  readonly background?: (work: Promise<unknown>) => void;
}

/** Makes the gateway over a way to reach delivery. */
export function createGateway(parts: GatewayParts): Gateway {
  const playback = createPlayback(parts);
  const app = createRoutes(parts, playback);
  /** Almost every request is for playback or reports on it: finding its route would cost it more than to be authorized. */
  const direct = (request: Request, env: Env): Promise<Response> | undefined => {
    const { url, method } = request;
    if (isRead(method)) {
      return PLAYBACK.test(url) ? playback.answer(request, env) : undefined;
    }
    return method === 'POST' && BEACON.test(url) ? playback.takeBeacon(request, env) : undefined;
  };
  return {
    fetch: async (request, env, context) => {
      const answer = await (direct(request, env)?.catch(answerFailure) ?? app.fetch(request, env, context));
      if (!(WHOLE in answer)) {
        allowEveryOrigin(answer);
      }
      return answer;
    },
  };
}

/** Answers reads of streams, and what it does so with. */
interface Playback {
  readonly context: Omit<PlaybackContext, 'env' | 'now'>;
  readonly answer: (request: Request, env: Env) => Promise<Response>;
  /** Takes a player's report. */
  readonly takeBeacon: (request: Request, env: Env) => Promise<Response>;
}

function createPlayback(parts: GatewayParts): Playback {
  const now = clock(parts);
  const context: Playback['context'] = {
    deliver: parts.deliver,
    findKept: parts.findKept ?? ((): undefined => undefined),
    snapshot: parts.snapshot ?? noRules,
    background: parts.background ?? ((): void => undefined),
    sessions: new ViewerSession(),
    heights: new RenditionHeights(),
    oldest: new OldestPlayable(),
  };
  return {
    context,
    answer: (request, env) =>
      answerPlayback(request, { env, now: now(), record: recorder(env, parts), ...context }),
    takeBeacon: (request, env) => answerBeacon(request, { env, now: () => now() * 1000, ...context }),
  };
}

/** No path has more than one handler: Hono calls a single one directly, several through promises of its own. */
function createRoutes(parts: GatewayParts, playback: Playback): Hono<{ Bindings: Env }> {
  const now = clock(parts);
  const app = new Hono<{ Bindings: Env }>();

  app.get('/healthz', () => Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } }));
  app.get('/watch/:stream', (context) =>
    answerWatchPage(context.req.param('stream'), context.req.raw, context.env),
  );
  app.get('/dashboard', (context) => answerDashboard(context.req.raw, context.env));
  app.get('/assets/:file', (context) => answerAsset(context.req.raw, context.env));
  app.on(['GET', 'POST'], '/publish/*', ({ req, env }) =>
    answerPublish(req.raw, env, (stream) => {
      tellLive(stream, { env, now: now() * 1000, waitUntil: playback.context.background });
    }),
  );
  // Before `/t/*`, which would take a beacon's path for a player's.
  addQos(app, playback, now);
  for (const path of ['/live/*', '/t/*']) {
    app.all(path, ({ req, env }) =>
      isRead(req.method) ? playback.answer(req.raw, env) : otherMethod(req.method, READ),
    );
  }
  app.route('/', createAdminApp(now));

  app.all('/publish/*', (context) => otherMethod(context.req.method, READ_AND_POST));
  app.all('/v1/admin/*', (context) => otherMethod(context.req.method, ADMIN_METHODS));
  for (const path of ['/healthz', '/watch/*', '/dashboard', '/assets/*']) {
    app.all(path, (context) => otherMethod(context.req.method, READ));
  }
  app.notFound(() =>
    errorAnswer(404, 'no-such-path', { headers: { 'cache-control': cacheControl({ kind: 'refusal' }) } }),
  );
  app.onError(answerFailure);
  return app;
}

function answerFailure(error: unknown): Response {
  logEvent('error', 'gateway-failed', { cause: describeError(error) });
  return errorAnswer(500, 'internal-error');
}

/** Unix seconds. */
function clock({ now }: GatewayParts): () => number {
  return now ?? ((): number => Math.floor(Date.now() / 1000));
}

const noRules: PlaybackContext['snapshot'] = async () => ok(INITIAL_STATE);

/** Notes what a request came to, with the time from now to its first byte. */
function recorder(env: Env, { background, now }: GatewayParts): RecordAnswered {
  const nowMs = now === undefined ? Date.now : (): number => now() * 1000;
  const startedAt = nowMs();
  return (answered) => {
    const waitUntil = background ?? ((): void => undefined);
    recordDelivery(
      { ...answered, startedAt, firstByteAt: nowMs() },
      { env, now: nowMs, waitUntil, random: Math.random },
    );
  };
}

/** Routes of quality of experience: the intake, the reports and analysts' SQL. */
function addQos(app: Hono<{ Bindings: Env }>, playback: Playback, now: () => number): void {
  for (const path of ['/beacon', '/t/:token/beacon']) {
    app.all(path, ({ req, env }) =>
      req.method === 'POST' ? playback.takeBeacon(req.raw, env) : otherMethod(req.method, 'POST, OPTIONS'),
    );
  }
  app.post('/v1/qos/sql', ({ req, env }) => answerSql(req.raw, { env, now }));
  app.get('/v1/qos/*', ({ req, env }) => answerReport(req.raw, { env, now }));
  app.all('/v1/qos/*', ({ req }) => otherMethod(req.method, READ_AND_POST));
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Answers what no route took: `OPTIONS`, a method that the path does not have, or a path that is none. */
function otherMethod(method: string, allowed: string): Response {
  if (method === 'OPTIONS') {
    return preflightAnswer(allowed);
  }
  return allowed.split(', ').includes(method)
    ? errorAnswer(404, 'no-such-path')
    : errorAnswer(405, 'method-not-allowed', { headers: { allow: allowed } });
}
