/** Live sessions of the administration. */

import { z } from 'zod';
import { errorAnswer } from '../../answer.ts';
import { describeError, logEvent } from '../../log.ts';
import { viewerObject } from '../sessions/session-keeper.ts';
import { answerReading, type AdminCall, type AdminRoute } from './admin-route.ts';

const MAX_VIEWER = 256;
const sessionsAnswer = {
  name: 'Sessions',
  schema: z.object({
    viewer: z.string(),
    sessions: z.array(
      z.object({
        session: z.string(),
        stream: z.string(),
        country: z.string().optional(),
        /** Unix milliseconds. */
        started: z.int(),
        until: z.int(),
      }),
    ),
  }),
};

/** Routes below `/v1/admin/sessions`; a session is ended by revoking it. */
export const sessionRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/sessions',
    summary: "A viewer's live sessions, where they are counted.",
    query: { viewer: 'whose' },
    answer: sessionsAnswer,
    handle: answerSessions,
  },
];

async function answerSessions(call: AdminCall): Promise<Response> {
  const viewer = call.query.get('viewer') ?? '';
  if (viewer === '' || viewer.length > MAX_VIEWER) {
    return errorAnswer(400, 'invalid-query', {
      detail: `viewer is needed, at most ${MAX_VIEWER} characters`,
    });
  }
  // The registry knows whether the token that asks is itself revoked.
  const reading = await call.registry.read(call.by);
  if (reading.kind === 'revoked') {
    return answerReading(reading, () => ({}));
  }
  try {
    const sessions = (await call.sessions?.getByName(viewerObject(viewer)).list()) ?? [];
    return answerReading({ kind: 'read', value: sessions }, (value) => ({ viewer, sessions: value }));
  } catch (error) {
    logEvent('error', 'sessions-unreachable', { cause: describeError(error) });
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
}
