/** What a route of the control API is: how it is described, and what it does. */

import { z } from 'zod';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import type { DescribedRoute } from '#shared/openapi/describe-api.ts';
import type { LiveSettings } from '../../live-settings.ts';
import type { LogLevels } from '../../log-levels.ts';
import type { Ladder } from '../../transcode/ladder.ts';
import type { DeclaredStreams } from '../declared-streams.ts';
import type { EventLog } from '../event-log.ts';
import type { Latencies } from '../latencies.ts';
import type { StreamProvider } from '../stream-status.ts';
import type { StreamWatch } from '../watch/stream-watch.ts';
import type { WebhookStats } from '../webhooks/webhook-sender.ts';

/** What the routes speak of. */
export interface ControlParts {
  readonly streams: StreamProvider;
  readonly declared: DeclaredStreams;
  readonly watch: StreamWatch;
  readonly events: EventLog;
  readonly levels: LogLevels;
  readonly latencies: Latencies;
  readonly webhooks: { readonly stats: readonly WebhookStats[] };
  readonly settings: LiveSettings<Ladder>;
  /** What the schema of a ladder cannot know: a line for each encoder that ffmpeg lacks. */
  readonly checkLadder: (ladder: Ladder) => Promise<readonly string[]>;
  readonly now: () => number;
}

/** A request that has been authorized. */
export interface ControlCall {
  readonly parts: ControlParts;
  /** A part of the path by its name in braces, decoded. */
  readonly parameter: (name: string) => string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}

/** A route; `handle` gets the body's JSON, if the route has one. */
export interface ControlRoute extends DescribedRoute {
  readonly handle: (call: ControlCall, body: unknown) => Promise<Response> | Response;
}

/** A body and its handler: what the schema does not read is refused, and said why. */
export function takes<T>(
  name: string,
  schema: z.ZodType<T>,
  handle: (call: ControlCall, body: T) => Promise<Response> | Response,
): Pick<ControlRoute, 'body' | 'handle'> {
  return {
    body: { name, schema },
    handle: (call, json) => {
      const body = schema.safeParse(json);
      return body.success ? handle(call, body.data) : refusal(400, 'invalid', z.prettifyError(body.error));
    },
  };
}

/** Answers for the stream that the path names, where it is a name. */
export function forStream(
  call: ControlCall,
  answer: (stream: StreamName) => Promise<Response> | Response,
): Promise<Response> | Response {
  const name = parseStreamName(call.parameter('stream'));
  return name.ok
    ? answer(name.value)
    : refusal(400, 'invalid', `not a stream name: ${name.failure.expected}`);
}

/** Answers in JSON, never cached. */
export function answerJson(body: object, status = 200): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store' } });
}

/** Refuses with a reason for programs and one for people. */
export function refusal(status: number, error: string, detail?: string): Response {
  return answerJson({ error, ...(detail === undefined ? {} : { detail }) }, status);
}
