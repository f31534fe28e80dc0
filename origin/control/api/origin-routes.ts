/** Routes on the origin itself: its configuration, its log, its events. */

import { z } from 'zod';
import { parseStreamName } from '#shared/identifiers.ts';
import { LOG_LEVELS } from '../../settings-environment.ts';
import { logLevelAnswer, reloadAnswer } from './answer-schemas.ts';
import { answerJson, refusal, takes, type ControlCall, type ControlRoute } from './control-route.ts';
import { streamEvents } from './event-stream.ts';

const logLevelSchema = z.strictObject({
  level: z.enum(LOG_LEVELS).nullable().describe('null takes the level of a part away again'),
  part: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/)
    .optional()
    .describe('one part (rtmp, srt, objects, stream, …); everything without a level of its own unless given'),
});

/** Routes below `/v1/config`, `/v1/log-level` and `/v1/events`. */
export const originRoutes: readonly ControlRoute[] = [
  {
    method: 'POST',
    path: '/config/reload',
    summary: 'Reads the configuration file again; one with mistakes changes nothing.',
    answer: reloadAnswer,
    handle: async ({ parts }) => {
      const reloaded = await parts.settings.reload();
      return reloaded.ok
        ? answerJson(reloaded.value)
        : refusal(422, reloaded.failure.reason, reloaded.failure.lines.join('\n'));
    },
  },
  {
    method: 'GET',
    path: '/log-level',
    summary: 'Log levels in force.',
    answer: logLevelAnswer,
    handle: ({ parts }) => answerJson(levels(parts)),
  },
  {
    method: 'PUT',
    path: '/log-level',
    summary: 'Sets the log level, of everything or of one part, until the next start.',
    answer: logLevelAnswer,
    ...takes('LogLevel', logLevelSchema, ({ parts }, { level, part }) => {
      if (part === undefined && level === null) {
        return refusal(400, 'invalid', 'level is null, which takes away the level of a part: name the part');
      }
      if (part !== undefined && !parts.levels.knownParts.includes(part)) {
        return refusal(400, 'invalid', `no such part; there are ${parts.levels.knownParts.join(', ')}`);
      }
      parts.levels.set(level ?? undefined, part);
      return answerJson(levels(parts));
    }),
  },
  {
    method: 'GET',
    path: '/events',
    summary: 'Events as they happen, as server-sent events; Last-Event-ID goes on where a connection ended.',
    query: { stream: 'of one stream alone' },
    handle: (call) => events(call),
  },
];

function levels({ levels: { state, knownParts } }: ControlCall['parts']): object {
  return { ...state, knownParts };
}

function events({ parts, query, headers }: ControlCall): Response {
  const text = query.get('stream');
  const stream = text === null ? undefined : parseStreamName(text);
  if (stream?.ok === false) {
    return refusal(400, 'invalid', `not a stream name: ${stream.failure.expected}`);
  }
  const body = streamEvents(parts.events, {
    stream: stream?.value,
    after: headers.get('last-event-id') ?? undefined,
  });
  return body === undefined
    ? refusal(503, 'too-many', 'too many listen to events: end one first')
    : new Response(body, {
        headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
      });
}
