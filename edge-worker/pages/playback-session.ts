/** Where this tab plays: the link's own address, or that of the session which the edge began for it. */

const KEY = 'rill-session:';

/** Remembers the session of a link, so that playback goes on after a reload when the link's token has expired. */
export class PlaybackSession {
  readonly #first: string;
  #playlist: string;

  /** `first` is the multivariant playlist that the link names. */
  constructor(first: string) {
    this.#first = first;
    this.#playlist = readStored(first) ?? first;
  }

  /** The multivariant playlist to play. */
  get playlist(): string {
    return this.#playlist;
  }

  /** Goes on at the address that the edge has told. */
  goOn(playlist: string): void {
    this.#playlist = playlist;
    store(this.#first, playlist);
  }

  /** Back to the link after the session's end; `false` where it was the link itself that was refused. */
  startAnew(): boolean {
    const wasSession = this.#playlist !== this.#first;
    this.#playlist = this.#first;
    store(this.#first, undefined);
    return wasSession;
  }
}

/** A tab's own storage; a browser may forbid it to pages in frames, which then start anew after a reload. */
function readStored(first: string): string | undefined {
  try {
    return sessionStorage.getItem(KEY + first) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(first: string, playlist: string | undefined): void {
  try {
    if (playlist === undefined) {
      sessionStorage.removeItem(KEY + first);
    } else {
      sessionStorage.setItem(KEY + first, playlist);
    }
  } catch {
    // Without storage a reload starts anew.
  }
}
