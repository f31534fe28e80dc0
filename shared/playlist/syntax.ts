/** The smallest pieces of playlist text: numbers and dates, and the error that names a wrong one. */

/**
 * Thrown inside a playlist's codec where text breaks the grammar; `parseMediaPlaylist` and
 * `parseMultivariantPlaylist` catch it and return it as a failure.
 */
export class PlaylistSyntaxError extends Error {
  override readonly name = 'PlaylistSyntaxError';
  readonly code = 'playlist-syntax';
}

const INTEGER = /^[0-9]{1,20}$/;
const DECIMAL = /^[0-9]{1,15}(\.[0-9]{1,20})?$/;
const DATE =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})$/;
/** Decimals are written to the microsecond: finer than one sample of 192 kHz audio. */
const FRACTION_DIGITS = 6;

/** Renders a decimal-floating-point (rfc8216bis §4.2) to the microsecond, without trailing zeros. */
export function renderDecimal(value: number): string {
  const text = value.toFixed(FRACTION_DIGITS);
  return text.replace(/\.?0+$/, '');
}

/** Reads a decimal-floating-point (rfc8216bis §4.2); `what` names it in the error. */
export function parseDecimal(text: string, what: string): number {
  if (!DECIMAL.test(text)) {
    throw new PlaylistSyntaxError(`${what} is no decimal number`);
  }
  return Number(text);
}

/** Reads a decimal-integer (rfc8216bis §4.2) up to 2^53 - 1; `what` names it in the error. */
export function parseInteger(text: string, what: string): number {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new PlaylistSyntaxError(`${what} is no decimal integer below 2^53`);
  }
  return value;
}

/** Renders Unix milliseconds as ISO 8601 in UTC. */
export function renderDate(unixMilliseconds: number): string {
  return new Date(unixMilliseconds).toISOString();
}

/** Reads an ISO 8601 date with its time zone as Unix milliseconds; `what` names it in the error. */
export function parseDate(text: string, what: string): number {
  const value = DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw new PlaylistSyntaxError(`${what} is no ISO 8601 date with a time zone`);
  }
  return value;
}
