/** The gateway: routes in the order in which a request meets them. Its answers are never cached by the platform. */

import { Hono } from 'hono';
import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import { errorAnswer } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { allowEveryOrigin, preflightAnswer } from './cors.ts';
import { answerAsset, answerWatchPage } from './pages.ts';
import { answerPlayback, type Deliver } from './play.ts';
import { answerPublish } from './publish.ts';
import { RenditionHeights } from './rendition-heights.ts';
import { ViewerSession } from './viewer-session.ts';

/** Methods of what can only be read; Hono serves HEAD through the GET routes. */
const READ = 'GET, HEAD, OPTIONS';
const READ_AND_POST = 'GET, HEAD, POST, OPTIONS';

const NO_RULES: AccessSnapshot = {
  version: 0,
  policies: { default: { access: 'token', rules: [] }, streams: {} },
  keys: [],
  revocations: [],
};

/** The gateway's application. */
export type Gateway = Hono<{ Bindings: Env }>;

/** What a gateway is made of. */
export interface GatewayParts {
  readonly deliver: Deliver;
  /** Unix seconds. */
  readonly now?: () => number;
  /** What the edge knows of who may watch; without it every stream needs a token and nothing is revoked. */
  readonly snapshot?: (env: Env, now: number) => AccessSnapshot;
  /** Keeps work alive that goes on after an answer. */
  readonly background?: (work: Promise<unknown>) => void;
}

/** Makes the gateway. */
export function createGateway(parts: GatewayParts): Gateway {
  const now = parts.now ?? ((): number => Math.floor(Date.now() / 1000));
  const { deliver, snapshot = (): AccessSnapshot => NO_RULES, background = (): void => undefined } = parts;
  const sessions = new ViewerSession();
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
  app.get('/assets/:file', (context) => answerAsset(context.req.raw, context.env));
  app.on(['GET', 'POST'], '/publish/*', (context) => answerPublish(context.req.raw, context.env));
  for (const path of ['/live/*', '/t/*']) {
    app.get(path, ({ req, env }) => {
      const at = now();
      const context = { env, deliver, sessions, heights, now: at, snapshot: snapshot(env, at), background };
      return answerPlayback(req.raw, context);
    });
  }

  app.all('/publish/*', (context) => otherMethod(context.req.method, READ_AND_POST));
  for (const path of ['/healthz', '/watch/*', '/assets/*', '/live/*', '/t/*']) {
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
