/** Asks the edge for reports, the present and a picture's token. */

import type { StreamNow } from '../../qos/now/live-sessions.ts';
import type { WriterStatus } from '../../qos/writer/writer-status.ts';
import { currentToken } from './access.ts';

/** A row of a report. */
export type Row = Readonly<Record<string, string | number>>;

/** The edge did not answer with what was asked for; `isRefused`: another token is needed. */
export class AskError extends Error {
  readonly code = 'RILL_DASHBOARD_ASK';
  readonly isRefused: boolean;

  constructor(message: string, isRefused = false) {
    super(message);
    this.name = 'AskError';
    this.isRefused = isRefused;
  }
}

/** Time that a report may take before it is given up, milliseconds. */
const ANSWER_LIMIT_MS = 20_000;
/** Longest line of the event stream, characters: thousands of streams. */
const MAX_EVENT_LENGTH = 4_000_000;

/** Rows of a report; throws an {@link AskError}. */
export async function askReport(
  report: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<readonly Row[]> {
  const answer = await ask(`/v1/qos/${report}?${query(parameters)}`, AbortSignal.timeout(ANSWER_LIMIT_MS));
  const { rows }: { readonly rows: readonly Row[] } = await answer.json();
  return rows;
}

/** A playback token for a picture of a stream; throws an {@link AskError}. */
export async function askPictureToken(stream: string): Promise<string> {
  const answer = await ask(`/v1/qos/picture?${query({ stream })}`, AbortSignal.timeout(ANSWER_LIMIT_MS));
  const { token }: { readonly token: string } = await answer.json();
  return token;
}

/** An alert as `GET /v1/qos/alerts` tells it. */
export interface Alert {
  readonly rule: string;
  readonly kind: 'pending' | 'firing';
  readonly series: readonly string[];
  readonly since: number;
  readonly value: number;
}

/** How the rules of alerts stand; throws an {@link AskError}. */
export async function askAlerts(): Promise<{
  readonly trouble: string | null;
  readonly alerts: readonly Alert[];
}> {
  return (await ask('/v1/qos/alerts', AbortSignal.timeout(ANSWER_LIMIT_MS))).json();
}

/** How rows reach the analytics engine; throws an {@link AskError}. */
export async function askWriterStatus(): Promise<WriterStatus> {
  return (await ask('/v1/qos/status', AbortSignal.timeout(ANSWER_LIMIT_MS))).json();
}

/** Reads the present, a message a second, until the edge ends the stream or `signal` does; throws an {@link AskError}. */
export async function followNow(
  stream: string | undefined,
  take: (streams: readonly StreamNow[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const answer = await ask(`/v1/qos/now?${query({ stream, format: 'sse' })}`, signal);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const read = await reader?.read();
    if (read === undefined || read.done) {
      return;
    }
    const events = (text + read.value).split('\n\n');
    text = events.pop() ?? '';
    if (text.length > MAX_EVENT_LENGTH) {
      throw new AskError('the edge sends an event without end');
    }
    const latest = events.at(-1);
    if (latest?.startsWith('data: ') === true) {
      take(JSON.parse(latest.slice('data: '.length)));
    }
  }
}

async function ask(path: string, signal: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      headers: { authorization: `Bearer ${currentToken() ?? ''}` },
      cache: 'no-store',
      signal,
    });
  } catch {
    throw new AskError('The edge does not answer.');
  }
  if (answer.ok) {
    return answer;
  }
  const said: { readonly error?: string; readonly detail?: string } = await answer.json().catch(() => ({}));
  const isRefused = answer.status === 401 || answer.status === 403;
  throw new AskError(said.detail ?? said.error ?? `the edge answered ${answer.status}`, isRefused);
}

function query(parameters: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return new URLSearchParams(given);
}
