/** Outcomes that a caller should expect come back as values; bugs and broken I/O throw. */

/** Either a value or a failure whose `reason` names what was wrong. */
export type Result<T, F extends { readonly reason: string }> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: F };

/** Wraps a value as the successful side of a {@link Result}. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps a failure as the other side of a {@link Result}. */
export function fail<F extends { readonly reason: string }>(
  failure: F,
): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}
