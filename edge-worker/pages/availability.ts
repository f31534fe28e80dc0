/** Whether a stream can be played now, and what the page tells its viewer when it cannot. */

/** What the edge said about a stream. */
export type Availability =
  /** `playlist`: where to play on, told where the edge has begun or renewed a session. */
  | { readonly kind: 'ready'; readonly playlist?: string | undefined }
  /** It may come: ask again after {@link RETRY_MS}, or {@link SOON_MS} where it is about to. */
  | { readonly kind: 'waiting'; readonly message: string; readonly soon?: true }
  /** It will not come by asking again. */
  | { readonly kind: 'refused'; readonly message: string };

/** Time between two questions, milliseconds. */
export const RETRY_MS = 2_000;
/** Time between two questions while a stream's first segment is in the making, milliseconds. */
export const SOON_MS = 250;
/** What the page says after EXT-X-ENDLIST. */
export const ENDED = 'The stream has ended. If it comes back, it starts here by itself.';
/** Longest wait for an answer, milliseconds. */
const QUESTION_TIMEOUT_MS = 10_000;

const MESSAGES: ReadonlyMap<number, Availability> = new Map([
  [401, { kind: 'refused', message: 'This link is not valid, or it has expired. Ask for a new one.' }],
  [403, { kind: 'refused', message: 'This link is for another stream.' }],
  [
    429,
    {
      kind: 'waiting',
      message: 'This account is being watched on as many devices as it may be. Trying again …',
    },
  ],
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

/**
 * Asks for the multivariant playlist and the first media playlist in it; `onlyLive` also waits for a stream that has
 * ended to go on. A media playlist without a segment is not ready: hls.js takes it for a failure.
 */
export async function askAvailability(playlist: string, onlyLive: boolean): Promise<Availability> {
  try {
    const answer = await ask(playlist);
    const availability = availabilityOf(answer.status);
    const text = await answer.text();
    const uri = firstMediaPlaylist(text);
    if (availability.kind !== 'ready' || uri === undefined) {
      return availability;
    }
    const asked = new URL(playlist, location.href);
    const media = await ask(new URL(uri, asked).href);
    const found = mediaAvailability(media.status, await media.text(), onlyLive);
    return found.kind === 'ready' ? { kind: 'ready', playlist: sessionPlaylist(answer, asked) } : found;
  } catch {
    return { kind: 'waiting', message: 'The server cannot be reached. Trying again …' };
  }
}

/** Reads the answer to a request for a media playlist. */
export function mediaAvailability(status: number, text: string, onlyLive: boolean): Availability {
  const availability = availabilityOf(status);
  if (availability.kind !== 'ready') {
    return availability;
  }
  if (text.includes('#EXT-X-ENDLIST')) {
    return onlyLive ? { kind: 'waiting', message: ENDED } : availability;
  }
  return text.includes('#EXTINF:') ? availability : { kind: 'waiting', message: 'Loading …', soon: true };
}

/** Where a session goes on when the link has expired (`Content-Location`), never on another host. */
function sessionPlaylist(answer: Response, asked: URL): string | undefined {
  const told = answer.headers.get('content-location');
  const location = told === null ? undefined : new URL(told, asked);
  return location?.origin === asked.origin ? location.href : undefined;
}

/** The first media playlist named by a multivariant playlist, as it stands there. */
export function firstMediaPlaylist(multivariant: string): string | undefined {
  return multivariant.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#'));
}

async function ask(url: string): Promise<Response> {
  return fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(QUESTION_TIMEOUT_MS) });
}
