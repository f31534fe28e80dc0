/** The edge's settings for sessions, read from its environment. */

import type { SessionLife } from '../access/sessions/session-life.ts';
import type { Env } from '../env.ts';
import { MIN_SECRET_BYTES } from '../access/verify/verification-key.ts';

/** Four hours: a match with what comes before and after it, a film, an evening. */
const DEFAULT_SESSION_SECONDS = 4 * 3600;
/** A day: a channel that is left on is asked for a new token at least that often. */
const DEFAULT_LONGEST_SECONDS = 24 * 3600;

/** How long sessions last; what is not a number of seconds counts as not set. */
export function sessionLife(env: Env): SessionLife {
  const token = readSeconds(env.RILL_SESSION_SECONDS) ?? DEFAULT_SESSION_SECONDS;
  return {
    token,
    longest: Math.max(token, readSeconds(env.RILL_SESSION_MAX_SECONDS) ?? DEFAULT_LONGEST_SECONDS),
  };
}

/** What the key of session tokens is derived from; `undefined` where neither secret is long enough. */
export function sessionSecret(env: Env): string | undefined {
  return [env.RILL_SESSION_SECRET, env.RILL_PLAY_SECRET].find(isLongEnough);
}

/** Whether a secret is as long as the hash that it is used with (RFC 7518 §3.2). */
export function isLongEnough(secret: string | undefined): secret is string {
  // A character is at least a byte of UTF-8; only a short text has to be counted.
  return (
    secret !== undefined &&
    (secret.length >= MIN_SECRET_BYTES || new TextEncoder().encode(secret).length >= MIN_SECRET_BYTES)
  );
}

function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,8}$/.test(text) ? Number(text) : undefined;
}
