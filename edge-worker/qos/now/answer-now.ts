/** `GET /v1/qos/now`: who watches at this moment and how well it goes, as JSON, server-sent events or Prometheus text. */

import type { StreamName } from '../../../shared/identifiers.ts';
import { errorAnswer } from '../../answer.ts';
import type { Env } from '../../env.ts';
import type { StreamNow } from './live-sessions.ts';
import { NOW_EVENTS_PATH, NOW_NAME, NOW_ORIGIN, NOW_PATH } from './now-address.ts';
import { renderPrometheus, renderWriter } from './prometheus.ts';
import { writerStatus } from '../writer/writer-status.ts';

const NO_STORE = { 'cache-control': 'no-store' };

/** Answers for one stream or, with `undefined`, for all; `format` is `json`, `sse` or `prometheus`. */
export async function answerNow(env: Env, stream: StreamName | undefined, format: string): Promise<Response> {
  if (env.QOS_NOW === undefined) {
    return errorAnswer(503, 'not-configured');
  }
  const query = stream === undefined ? '' : `?stream=${stream}`;
  const path = format === 'sse' ? NOW_EVENTS_PATH : NOW_PATH;
  const answer = await env.QOS_NOW.getByName(NOW_NAME).fetch(new Request(`${NOW_ORIGIN}${path}${query}`));
  if (!answer.ok) {
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '5' } });
  }
  switch (format) {
    case 'sse':
      return new Response(answer.body, { headers: { ...NO_STORE, 'content-type': 'text/event-stream' } });
    case 'prometheus': {
      const streams = await answer.json<readonly StreamNow[]>();
      const headers = { ...NO_STORE, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
      // What waits for the engine is of all streams.
      const status = stream === undefined ? await writerStatus(env) : undefined;
      const writer = status === undefined ? '' : renderWriter(status);
      return new Response(renderPrometheus(streams) + writer, { headers });
    }
    case 'json':
      return Response.json({ streams: await answer.json() }, { headers: NO_STORE });
    default:
      return errorAnswer(400, 'invalid-parameter', { detail: 'format is json, sse or prometheus' });
  }
}
