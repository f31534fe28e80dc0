/** Small answers in JSON: what is wrong and nothing more; and the mark of answers that need nothing more. */

/**
 * Property of an answer that has all its headers and is encoded as it goes out, so nobody on its way has to look at it
 * again: for most requests that would cost more than to be authorized. The front that a host puts before the Worker
 * knows it by the symbol's name.
 */
export const WHOLE = Symbol.for('rill.whole');

/** Marks an answer as whole. */
export function markWhole(answer: Response): Response {
  return Object.assign(answer, { [WHOLE]: true });
}

/** Makes an error answer; `error` is a stable kebab-case code, `detail` says what would be right. */
export function errorAnswer(
  status: number,
  error: string,
  options: { readonly detail?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const body = options.detail === undefined ? { error } : { error, detail: options.detail };
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...options.headers } });
}
