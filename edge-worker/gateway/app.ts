/** The gateway: routes in the order in which a request meets them. Its answers are never cached by the platform. */

import { Hono } from 'hono';
import { errorAnswer } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { answerBeacon } from '../qos/answer-beacon.ts';
import { answerReport, answerSql } from '../qos/answer-reports.ts';
import { recordDelivery, type RecordAnswered } from '../qos/record-delivery.ts';
import { allowEveryOrigin, preflightAnswer } from './cors.ts';
import { answerAsset, answerDashboard, answerWatchPage } from './pages.ts';
import { answerPlayback, type Deliver } from './play.ts';
import { answerPublish } from './publish.ts';
import { RenditionHeights } from './rendition-heights.ts';

/** Methods of what can only be read; Hono serves HEAD through the GET routes. */
const READ = 'GET, HEAD, OPTIONS';
const READ_AND_POST = 'GET, HEAD, POST, OPTIONS';

/** The gateway's application. */
export type Gateway = Hono<{ Bindings: Env }>;

/** Makes the gateway over a way to reach delivery; `now` gives Unix seconds. */
export function createGateway(parts: { readonly deliver: Deliver; readonly now?: () => number }): Gateway {
  const now = parts.now ?? ((): number => Math.floor(Date.now() / 1000));
  const nowMs = parts.now === undefined ? Date.now : (): number => now() * 1000;
  const heights = new RenditionHeights();
  const app: Gateway = new Hono();

  app.use(async (context, next) => {
    await next();
    allowEveryOrigin(context.res);
  });

  app.get('/healthz', () => Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } }));
  app.get('/watch/:stream', (context) =>
    answerWatchPage(context.req.param('stream'), context.req.raw, context.env),
  );
  app.get('/dashboard', (context) => answerDashboard(context.req.raw, context.env));
  app.get('/assets/:file', (context) => answerAsset(context.req.raw, context.env));
  app.on(['GET', 'POST'], '/publish/*', (context) => answerPublish(context.req.raw, context.env));
  for (const path of ['/beacon', '/t/:token/beacon']) {
    app.post(path, (context) =>
      answerBeacon(context.req.raw, {
        env: context.env,
        now: nowMs,
        waitUntil: (work) => context.executionCtx.waitUntil(work),
      }),
    );
    app.all(path, (context) => otherMethod(context.req.method, 'POST, OPTIONS'));
  }
  app.post('/v1/qos/sql', (context) => answerSql(context.req.raw, { env: context.env, now }));
  app.get('/v1/qos/*', (context) => answerReport(context.req.raw, { env: context.env, now }));
  app.all('/v1/qos/*', (context) => otherMethod(context.req.method, READ_AND_POST));
  for (const path of ['/live/*', '/t/*']) {
    app.get(path, (context) => {
      const { env } = context;
      const startedAt = nowMs();
      const waitUntil = (work: Promise<unknown>): void => context.executionCtx.waitUntil(work);
      const record: RecordAnswered = (answered) => {
        const times = { startedAt, firstByteAt: nowMs() };
        recordDelivery({ ...answered, ...times }, { env, now: nowMs, waitUntil, random: Math.random });
      };
      return answerPlayback(context.req.raw, { env, deliver: parts.deliver, heights, now: now(), record });
    });
  }

  app.all('/publish/*', (context) => otherMethod(context.req.method, READ_AND_POST));
  for (const path of ['/healthz', '/watch/*', '/dashboard', '/assets/*', '/live/*', '/t/*']) {
    app.all(path, (context) => otherMethod(context.req.method, READ));
  }
  app.notFound(() =>
    errorAnswer(404, 'no-such-path', { headers: { 'cache-control': cacheControl({ kind: 'refusal' }) } }),
  );
  app.onError((error) => {
    logEvent('error', 'gateway-failed', { cause: describeError(error) });
    return errorAnswer(500, 'internal-error');
  });
  return app;
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
