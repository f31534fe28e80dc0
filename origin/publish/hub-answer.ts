/** What an answer of the edge to an origin's request means: the hub's word, or a fault and who can mend it. */

import { publishAnswerSchema, type PublishAnswer } from '#shared/wire/publish.ts';
import { HttpError, type HttpAnswer } from './http-client.ts';

/** A request without a usable answer. `refused`: repeating it helps only after a person changed something. */
export type HubFault = { readonly kind: 'fault'; readonly refused: boolean; readonly detail: string };

/** Sends a publish request and reads the hub's answer; never throws for what a network or a server can do. */
export async function askHub(
  send: () => Promise<HttpAnswer>,
): Promise<{ readonly kind: 'answer'; readonly answer: PublishAnswer } | HubFault> {
  const answer = await receive(send);
  if ('kind' in answer) {
    return answer;
  }
  const parsed = publishAnswerSchema.safeParse(readJson(answer.body));
  if (parsed.success && (answer.status === 200) === (parsed.data.status === 'accepted')) {
    return { kind: 'answer', answer: parsed.data };
  }
  return faultOfStatus(answer.status);
}

/** Sends a request; the answer, or the fault that kept it away. */
export async function receive(send: () => Promise<HttpAnswer>): Promise<HttpAnswer | HubFault> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof HttpError) {
      return { kind: 'fault', refused: false, detail: `stream hub: ${error.message}` };
    }
    throw error;
  }
}

/** What a status that carries no answer of the hub means. */
export function faultOfStatus(status: number): HubFault {
  if (status === 401 || status === 403) {
    return {
      kind: 'fault',
      refused: true,
      detail: `the edge refused the service token (${status}): set RILL_SERVICE_TOKEN to the same value on edge and origin`,
    };
  }
  const passing = status >= 500 || status === 408 || status === 429;
  return {
    kind: 'fault',
    refused: !passing,
    detail: passing
      ? `the edge answered ${status}`
      : `the edge answered ${status}, which no stream hub does: check RILL_EDGE_URL and that edge and origin are of one version`,
  };
}

/** Reads a body as JSON, `undefined` when it is none. */
export function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
