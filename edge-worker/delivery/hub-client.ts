/** Asks a stream's hub, within a time that is longer than the hub may hold. */

import type { Env } from '../env.ts';
import type { StreamName } from '../../shared/identifiers.ts';

/**
 * Longest wait for an answer that the hub may hold, milliseconds: three target durations (rfc8216bis §6.2.5.2) of
 * at most 60 s, and the way there and back.
 */
const HELD_TIMEOUT_MS = 190_000;
/** Longest wait for an answer that the hub gives at once, milliseconds: a cold start and a full queue included. */
const PROMPT_TIMEOUT_MS = 10_000;
/** Where a hub's requests go; the host is a name only. */
const HUB_ORIGIN = 'https://hub.rill';

/** Sends a GET to the hub of a stream; throws when the hub fails or is late. */
export async function askHub(
  hubs: Env['HUB'],
  question: { readonly stream: StreamName; readonly pathAndQuery: string; readonly mayBeHeld: boolean },
): Promise<Response> {
  const timeout = question.mayBeHeld ? HELD_TIMEOUT_MS : PROMPT_TIMEOUT_MS;
  return hubs
    .getByName(question.stream)
    .fetch(HUB_ORIGIN + question.pathAndQuery, { signal: AbortSignal.timeout(timeout) });
}

/** Lets an answer go whose body nobody reads. */
export async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel();
}
