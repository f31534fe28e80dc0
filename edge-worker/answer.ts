/** Small answers in JSON: what is wrong and nothing more; and the mark of answers that need nothing more. */

import { WHOLE } from '../shared/whole-answer.ts';

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
