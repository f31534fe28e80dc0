/** Asks a hub where a new epoch of its stream goes on: `GET /publish/{stream}`. */

import type { StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import { hubPositionSchema, type HubPosition } from '#shared/wire/publish.ts';
import { pause, retryDelay, type Backoff } from '../backoff.ts';
import type { HttpAnswer, HttpSend } from './http-client.ts';
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

/** How a question is put to a hub. */
export interface HubQuestion {
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly stream: StreamName;
  readonly send: HttpSend;
  readonly tries?: number;
  readonly timeoutMs?: number;
  readonly retry?: Backoff;
  readonly signal?: AbortSignal;
}

/** Asks a hub where its stream goes on. */
export function fetchHubPosition(question: HubQuestion): Promise<Result<HubPosition, HubPositionFailure>> {
  return askRepeatedly(question, { method: 'GET', path: '' }, ({ status, body }) => {
    const parsed = hubPositionSchema.safeParse(readJson(body));
    return status === 200 && parsed.success ? parsed.data : undefined;
  });
}

/** What is asked of a hub, under `/publish/{stream}`. */
export interface AskedOfHub {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** Asks until `read` makes something of an answer, the edge refuses, the tries are used up or `signal` is aborted. */
export async function askRepeatedly<T>(
  question: HubQuestion,
  asked: AskedOfHub,
  read: (answer: HttpAnswer) => T | undefined,
): Promise<Result<T, HubPositionFailure>> {
  const signal = question.signal ?? new AbortController().signal;
  const tries = question.tries ?? POSITION_TRIES;
  let last: HubFault = { kind: 'fault', refused: false, detail: 'the hub was not asked' };
  for (let attempt = 1; attempt <= tries && !signal.aborted; attempt += 1) {
    const answer = await receive(() => sendQuestion(question, asked, signal));
    const value = 'kind' in answer ? undefined : read(answer);
    if (value !== undefined) {
      return ok(value);
    }
    last = 'kind' in answer ? answer : faultOfStatus(answer.status);
    if (last.refused) {
      return fail({ reason: 'refused', detail: last.detail });
    }
    if (attempt < tries) {
      await pause(retryDelay(attempt, question.retry ?? POSITION_RETRY, Math.random()), signal);
    }
  }
  return fail({ reason: 'unavailable', detail: last.detail });
}

function sendQuestion(question: HubQuestion, asked: AskedOfHub, signal: AbortSignal): Promise<HttpAnswer> {
  const { edgeUrl, stream, serviceToken, send, timeoutMs = POSITION_TIMEOUT_MS } = question;
  const { method, path, body } = asked;
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return send({
    ...{ method, timeoutMs, signal },
    url: new URL(`/publish/${stream}${path}`, edgeUrl),
    headers: { authorization: `Bearer ${serviceToken}`, ...json },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
  });
}
