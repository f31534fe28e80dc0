/** Routes of the control API. */

import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { parseStreamName } from '#shared/identifiers.ts';
import { equalInConstantTime } from '../constant-time.ts';
import { createMetrics } from './metrics.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';

/** What the routes need. */
export interface ControlAppOptions {
  /** Bearer token of the API and of the metrics. */
  readonly token: string;
  /** True when `GET /metrics` asks for no token. */
  readonly openMetrics: boolean;
  readonly streams: StreamProvider;
  readonly now: () => number;
}

/** Longest `Authorization` header that is looked at, characters. */
const MAX_AUTHORIZATION = 1024;

/** Makes the routes: health, metrics, and the live streams. */
export function createControlApp(options: ControlAppOptions): Hono {
  const { streams, now } = options;
  const app = new Hono();
  const authorized = bearer(options.token);
  const metrics = createMetrics(streams, now);

  // Answers 200 while the process lives, whatever else fails: a restart would not bring storage back.
  app.get('/healthz', (context) => {
    const readiness = streams.readiness();
    const status = context.req.query('ready') !== undefined && !readiness.ready ? 503 : 200;
    return context.json({ live: true, ...readiness }, status);
  });
  if (!options.openMetrics) {
    app.use('/metrics', authorized);
  }
  app.get('/metrics', async (context) =>
    context.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType }),
  );
  app.use('/v1/*', authorized);
  app.get('/v1/streams', (context) =>
    context.json({
      streams: streams.listStreams().map((status) => render(status, now())),
      pulls: streams.listPulls?.() ?? [],
      objects: streams.objectWriter(),
    }),
  );
  app.get('/v1/streams/:stream', (context) => {
    const status = streams.listStreams().find(({ stream }) => stream === context.req.param('stream'));
    return status === undefined ? notLive(context) : context.json(render(status, now()));
  });
  app.delete('/v1/streams/:stream', (context) => {
    const name = parseStreamName(context.req.param('stream'));
    return name.ok && streams.stopStream(name.value) ? context.body(null, 204) : notLive(context);
  });
  app.notFound((context) => context.json({ error: 'no such resource' }, 404));
  return app;
}

function notLive(context: Context): Response {
  return context.json({ error: 'no such stream is live' }, 404);
}

/** A status as the API shows it: times become durations, so that no clock has to agree with ours. */
function render(status: StreamStatus, now: number): Record<string, unknown> {
  const { since, lastPartAt, source, nextMsn, hub, srt, ...rest } = status;
  return {
    ...rest,
    uptimeSeconds: Math.max(0, now - since) / 1000,
    source: source === undefined ? null : { video: source.video ?? null, audio: source.audio ?? null },
    nextMsn: nextMsn ?? null,
    lastPartAgeSeconds: lastPartAt === undefined ? null : Math.max(0, now - lastPartAt) / 1000,
    hub: hub ?? null,
    srt: srt ?? null,
  };
}

/** RFC 6750 §2.1: the token travels in the Authorization header alone. */
function bearer(token: string): MiddlewareHandler {
  return async (context, next) => {
    const header = context.req.header('authorization') ?? '';
    const given = header.length <= MAX_AUTHORIZATION ? header : '';
    const [, shown = ''] = /^Bearer +([^ ]+)$/i.exec(given) ?? [];
    if (!equalInConstantTime(shown, token)) {
      return context.json({ error: 'a bearer token is needed: the control token' }, 401, {
        'www-authenticate': 'Bearer realm="rill control"',
      });
    }
    await next();
    return undefined;
  };
}
