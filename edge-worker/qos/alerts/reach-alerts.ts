/** Calls the object that keeps alerts: on a schedule, and for whoever asks how things stand. */

import { errorAnswer } from '../../answer.ts';
import type { Env } from '../../env.ts';
import { ALERTS_NAME, ALERTS_ORIGIN, ALERTS_PATH, EVALUATE_PATH } from './alert-address.ts';

/** Has all rules evaluated; does nothing where there are none. */
export async function evaluateAlerts(env: Env): Promise<void> {
  if ((env.RILL_ALERTS ?? '') !== '') {
    const request = new Request(`${ALERTS_ORIGIN}${EVALUATE_PATH}`, { method: 'POST' });
    await env.QOS_ALERTS?.getByName(ALERTS_NAME).fetch(request);
  }
}

/** Answers `GET /v1/qos/alerts` for a caller that may ask about every stream. */
export async function answerAlerts(env: Env): Promise<Response> {
  if (env.QOS_ALERTS === undefined) {
    return errorAnswer(503, 'not-configured');
  }
  const request = new Request(`${ALERTS_ORIGIN}${ALERTS_PATH}`);
  const answer = await env.QOS_ALERTS.getByName(ALERTS_NAME).fetch(request);
  return Response.json(await answer.json(), { headers: { 'cache-control': 'no-store' } });
}
