/** Routes on streams: list, declare, inspect, stop, start. */

import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import { streamSchema } from '../../settings.ts';
import { ladderSchema } from '../../transcode/ladder.ts';
import { streamAnswer, streamsAnswer } from './answer-schemas.ts';
import {
  answerJson,
  forStream,
  refusal,
  takes,
  type ControlCall,
  type ControlRoute,
} from './control-route.ts';
import { showLive, showSet } from './stream-view.ts';

/** How long publishers of a stopped stream are refused unless said otherwise, seconds: an encoder retries within. */
const DEFAULT_STOP_SECONDS = 60;
/** Longest stop with an end, seconds; without end, `until` is `started`. */
const MAX_STOP_SECONDS = 30 * 24 * 3_600;

const declaredSchema = streamSchema(ladderSchema).omit({ publishKeys: true });
const stopSchema = z.strictObject({
  seconds: z
    .number()
    .min(0)
    .max(MAX_STOP_SECONDS)
    .default(DEFAULT_STOP_SECONDS)
    .describe('for so long publishers are refused'),
  until: z.literal('started').optional().describe('publishers are refused until the stream is started again'),
});

/** Routes below `/v1/streams`. */
export const streamRoutes: readonly ControlRoute[] = [
  {
    method: 'GET',
    path: '/streams',
    summary: 'Every live stream with what is measured of it, and what is declared or stopped.',
    answer: streamsAnswer,
    handle: ({ parts }) => answerJson(listAll(parts)),
  },
  {
    method: 'GET',
    path: '/streams/{stream}',
    summary: 'One stream.',
    answer: streamAnswer,
    handle: (call) => forStream(call, (stream) => show(call, stream)),
  },
  {
    method: 'PUT',
    path: '/streams/{stream}',
    summary:
      'Declares a stream with settings of its own, or changes them: they hold from its next publisher on.',
    answer: streamAnswer,
    ...takes('StreamSettings', z.unknown(), (call, body) =>
      forStream(call, (stream) => declare(call, stream, body)),
    ),
    body: { name: 'StreamSettings', schema: declaredSchema },
  },
  {
    method: 'DELETE',
    path: '/streams/{stream}',
    summary: 'Stops a stream for 60 s and forgets what was set of it.',
    handle: (call) => forStream(call, (stream) => remove(call, stream)),
  },
  {
    method: 'POST',
    path: '/streams/{stream}/stop',
    summary: 'Ends a stream and refuses its publishers: for a time, or until it is started.',
    answer: streamAnswer,
    ...takes('Stop', stopSchema, (call, { seconds, until }) =>
      forStream(call, async (stream) => {
        const end = until === undefined ? call.parts.now() + seconds * 1_000 : null;
        const kept = await call.parts.declared.stop(stream, end);
        call.parts.streams.stopStream(stream);
        return kept.ok ? show(call, stream) : tooMany(kept.failure.limit);
      }),
    ),
  },
  {
    method: 'POST',
    path: '/streams/{stream}/start',
    summary: 'Lets publishers of a stopped stream in again.',
    answer: streamAnswer,
    handle: (call) =>
      forStream(call, async (stream) => {
        await call.parts.declared.start(stream);
        return answerJson(showSet(stream, call.parts));
      }),
  },
];

function listAll(parts: ControlCall['parts']): object {
  const live = parts.streams.listStreams();
  const names = new Set(live.map(({ stream }) => stream));
  const idle = [...parts.declared.list().keys()].filter((stream) => !names.has(stream));
  const { put, hub } = parts.latencies.summary;
  return {
    streams: live.map((status) => showLive(status, parts)),
    idle: idle.map((stream) => showSet(stream, parts)),
    pulls: parts.streams.listPulls?.() ?? [],
    objects: parts.streams.objectWriter(),
    latencies: { put: put ?? null, hub: hub ?? null },
    webhooks: parts.webhooks.stats,
  };
}

function show({ parts }: ControlCall, stream: StreamName): Response {
  const status = parts.streams.listStreams().find((one) => one.stream === stream);
  if (status !== undefined) {
    return answerJson(showLive(status, parts));
  }
  const known = parts.declared.list().has(stream) || parts.settings.current.streams.has(stream);
  return known
    ? answerJson(showSet(stream, parts))
    : refusal(404, 'not-found', 'no such stream is live or declared');
}

async function declare(call: ControlCall, stream: StreamName, body: unknown): Promise<Response> {
  const { parts } = call;
  if (parts.settings.current.streams.has(stream)) {
    return refusal(
      409,
      'in-configuration',
      'the configuration file has this stream: change it there and reload',
    );
  }
  const settings = declaredSchema.safeParse(body);
  if (!settings.success) {
    return refusal(400, 'invalid', z.prettifyError(settings.error));
  }
  const { ladder } = settings.data;
  const lines = ladder === undefined ? [] : await parts.checkLadder(ladder);
  if (lines.length > 0) {
    return refusal(400, 'invalid', lines.join('\n'));
  }
  const kept = await parts.declared.declare(stream, z.record(z.string(), z.unknown()).parse(body));
  return kept.ok ? show(call, stream) : tooMany(kept.failure.limit);
}

async function remove({ parts }: ControlCall, stream: StreamName): Promise<Response> {
  const isLive = parts.streams.listStreams().some((one) => one.stream === stream);
  if (!isLive && !parts.declared.list().has(stream)) {
    return refusal(404, 'not-found', 'no such stream is live or declared');
  }
  const kept = await parts.declared.remove(stream, parts.now() + DEFAULT_STOP_SECONDS * 1_000);
  parts.streams.stopStream(stream);
  return kept.ok ? new Response(null, { status: 204 }) : tooMany(kept.failure.limit);
}

/** There is no room for more. */
export function tooMany(limit: number): Response {
  return refusal(409, 'too-many', `at most ${limit} streams are kept: delete some first`);
}
