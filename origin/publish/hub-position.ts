/** Asks a hub where a new epoch of its stream goes on: `GET /publish/{stream}`. */

import type { StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import { hubPositionSchema, type HubPosition } from '#shared/wire/publish.ts';
import { pause, retryDelay, type Backoff } from '../backoff.ts';
import type { HttpSend } from './http-client.ts';
import { faultOfStatus, readJson, receive, type HubFault } from './hub-answer.ts';

/** Time for one question, milliseconds: the answer is one read of the hub's memory. */
const POSITION_TIMEOUT_MS = 2_000;
/** Questions before giving up, where the caller names no number: about ten seconds of an edge that restarts. */
const POSITION_TRIES = 12;
/** Wait between questions. */
const POSITION_RETRY: Backoff = { baseMs: 50, maxMs: 1_000 };

/** Why the position is not known. */
export type HubPositionFailure =
  /** The edge does not take our word: a person must act. */
  | { readonly reason: 'refused'; readonly detail: string }
  /** No answer, or no useful one, within all tries. */
  | { readonly reason: 'unavailable'; readonly detail: string };

/** What {@link fetchHubPosition} needs. */
export interface HubPositionRequest {
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly stream: StreamName;
  readonly send: HttpSend;
  readonly tries?: number;
  readonly timeoutMs?: number;
  readonly retry?: Backoff;
  readonly signal?: AbortSignal;
}

/** Asks until there is an answer, the edge refuses, the tries are used up or `signal` is aborted. */
export async function fetchHubPosition(
  request: HubPositionRequest,
): Promise<Result<HubPosition, HubPositionFailure>> {
  const signal = request.signal ?? new AbortController().signal;
  const tries = request.tries ?? POSITION_TRIES;
  let last: HubFault = { kind: 'fault', refused: false, detail: 'the hub was not asked' };
  for (let attempt = 1; attempt <= tries && !signal.aborted; attempt += 1) {
    const answer = await askOnce(request, signal);
    if (answer.kind === 'position') {
      return ok(answer.position);
    }
    last = answer;
    if (last.refused) {
      return fail({ reason: 'refused', detail: last.detail });
    }
    if (attempt < tries) {
      await pause(retryDelay(attempt, request.retry ?? POSITION_RETRY, Math.random()), signal);
    }
  }
  return fail({ reason: 'unavailable', detail: last.detail });
}

async function askOnce(
  request: HubPositionRequest,
  signal: AbortSignal,
): Promise<{ readonly kind: 'position'; readonly position: HubPosition } | HubFault> {
  const answer = await receive(() =>
    request.send({
      method: 'GET',
      url: new URL(`/publish/${request.stream}`, request.edgeUrl),
      headers: { authorization: `Bearer ${request.serviceToken}` },
      timeoutMs: request.timeoutMs ?? POSITION_TIMEOUT_MS,
      signal,
    }),
  );
  if ('kind' in answer) {
    return answer;
  }
  const parsed = hubPositionSchema.safeParse(readJson(answer.body));
  return answer.status === 200 && parsed.success
    ? { kind: 'position', position: parsed.data }
    : faultOfStatus(answer.status);
}
