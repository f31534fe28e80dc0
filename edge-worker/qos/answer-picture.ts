/** `GET /v1/qos/picture`: a short-lived playback token, with which the dashboard shows the picture of a stream. */

import { SignJWT } from 'jose';
import { parseStreamName } from '../../shared/identifiers.ts';
import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { requireScope } from './require-scope.ts';

/** How long a picture may be looked at before it is asked for again, seconds. */
const PICTURE_TTL = 600;
/** Whom the token is for, as the log and the QoS table would name a viewer. */
const VIEWER = 'dashboard';

/** Answers for a caller whose token has been judged for `analytics`; it must have the scope `play` besides. */
export async function answerPicture(request: Request, env: Env, now: number): Promise<Response> {
  const stream = parseStreamName(new URL(request.url).searchParams.get('stream') ?? '');
  if (!stream.ok) {
    return errorAnswer(400, 'invalid-parameter', { detail: `stream: ${stream.failure.expected}` });
  }
  const scope = await requireScope(request, env, 'play', now);
  if (!scope.ok) {
    // Not 401 or 403: the token may well be good for everything else on the page.
    return errorAnswer(409, 'no-picture', { detail: 'the token lacks the scope "play"' });
  }
  if (scope.value.stream !== undefined && scope.value.stream !== stream.value) {
    return errorAnswer(409, 'no-picture', { detail: `the token is for ${scope.value.stream} alone` });
  }
  const token = await new SignJWT({ stream: stream.value, sub: VIEWER, iat: now, exp: now + PICTURE_TTL })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(env.RILL_PLAY_SECRET ?? ''));
  return Response.json({ token }, { headers: { 'cache-control': 'no-store' } });
}
