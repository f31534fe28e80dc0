/**
 * An answer on its way to a viewer, as values. The runtime's `Headers` and `Response` cost a request more than all
 * that the gateway decides over them, so they are made once, at the end.
 */

/** Names of headers in lower case. */
export interface Delivered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that are answered more than once are a blob, since the runtime copies an array for each answer. */
  readonly body: Blob | Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Takes an answer apart; its body is passed on unread. */
export function takeAnswer(answer: Response): Delivered {
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: answer.body };
}

/** Lets a body go that nobody reads. */
export async function discardBody({ body }: Delivered): Promise<void> {
  if (body instanceof ReadableStream) {
    await body.cancel();
  }
}
