/** Whether a stream can be played now, and what the page tells its viewer when it cannot. */

/** What the edge said about a stream. */
export type Availability =
  | { readonly kind: 'ready' }
  /** It may come: ask again after {@link RETRY_MS}. */
  | { readonly kind: 'waiting'; readonly message: string }
  /** It will not come by asking again. */
  | { readonly kind: 'refused'; readonly message: string };

/** Time between two questions, milliseconds. */
export const RETRY_MS = 2_000;
/** What the page says after EXT-X-ENDLIST. */
export const ENDED = 'The stream has ended. If it comes back, it starts here by itself.';
/** Longest wait for an answer, milliseconds. */
const QUESTION_TIMEOUT_MS = 10_000;

const MESSAGES: ReadonlyMap<number, Availability> = new Map([
  [401, { kind: 'refused', message: 'This link is not valid, or it has expired. Ask for a new one.' }],
  [403, { kind: 'refused', message: 'This link is for another stream.' }],
  [404, { kind: 'waiting', message: 'The stream is not live yet. It starts here by itself.' }],
  [451, { kind: 'refused', message: 'This stream may not be shown in your region.' }],
]);

/** Reads the status of a multivariant playlist's answer. */
export function availabilityOf(status: number): Availability {
  if (status >= 200 && status < 300) {
    return { kind: 'ready' };
  }
  return MESSAGES.get(status) ?? { kind: 'waiting', message: 'The server is busy. Trying again …' };
}

/** Asks for the multivariant playlist; `onlyLive` also waits for a stream that has ended to go on. */
export async function askAvailability(playlist: string, onlyLive: boolean): Promise<Availability> {
  try {
    const answer = await ask(playlist);
    const availability = availabilityOf(answer.status);
    const text = await answer.text();
    return availability.kind === 'ready' && onlyLive ? await askLive(playlist, text) : availability;
  } catch {
    return { kind: 'waiting', message: 'The server cannot be reached. Trying again …' };
  }
}

/** The first media playlist named by a multivariant playlist, as it stands there. */
export function firstMediaPlaylist(multivariant: string): string | undefined {
  return multivariant.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#'));
}

async function askLive(playlist: string, multivariant: string): Promise<Availability> {
  const ended: Availability = { kind: 'waiting', message: ENDED };
  const uri = firstMediaPlaylist(multivariant);
  if (uri === undefined) {
    return ended;
  }
  const answer = await ask(new URL(uri, new URL(playlist, location.href)).href);
  const text = await answer.text();
  return answer.ok && !text.includes('#EXT-X-ENDLIST') ? { kind: 'ready' } : ended;
}

async function ask(url: string): Promise<Response> {
  return fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(QUESTION_TIMEOUT_MS) });
}
