/**
 * The cache contract: how long each answer of delivery may be kept, and by whom. Everything that says
 * `Cache-Control` about media is in this file.
 *
 * `Cache-Control` counts whole seconds (RFC 9111 §1.2.2), a part may last a fifth of one. A plain playlist should
 * be kept for half a part target: browsers keep it not at all, shared caches for the one second below which they
 * cannot go, since otherwise the hub would answer every plain reload of every viewer. A low-latency player reads
 * it once and then reloads under directives, whose answers are never older than asked for.
 */

/** What an answer is, as far as caching goes. */
export type CacheSubject =
  /** An init segment, segment or part: its name is never used for other bytes. */
  | { readonly kind: 'media' }
  /** A media playlist asked for with `_HLS_msn`, rfc8216bis §6.2.5.2. */
  | { readonly kind: 'blocking-playlist'; readonly targetDuration: number }
  | { readonly kind: 'plain-playlist' }
  /** The multivariant playlist. */
  | { readonly kind: 'multivariant-playlist'; readonly targetDuration: number }
  /** 400 and 404: wrong now, perhaps right in a moment. */
  | { readonly kind: 'refusal' }
  /** 5xx: nobody keeps a failure. */
  | { readonly kind: 'failure' };

/** Target durations for which a blocking answer is kept: it stays true, but nobody asks for it after that. */
const BLOCKING_TARGET_DURATIONS = 6;
/** Longest a blocking answer is kept, seconds, whatever target duration the stream announces. */
const MAX_BLOCKING_SECONDS = 360;

/** Says `Cache-Control` for an answer; `targetDuration` in seconds. rfc8216bis §6.2.5, appendix C. */
export function cacheControl(subject: CacheSubject): string {
  switch (subject.kind) {
    case 'media':
      return 'public, max-age=31536000, immutable';
    case 'blocking-playlist':
      return `public, max-age=${blockingSeconds(subject.targetDuration)}, stale-if-error=0`;
    case 'plain-playlist':
      return 'public, max-age=0, s-maxage=1, stale-if-error=0';
    case 'multivariant-playlist':
      return `public, max-age=${Math.max(1, Math.floor(subject.targetDuration / 2))}, stale-if-error=0`;
    case 'refusal':
      return 'public, max-age=1, stale-if-error=0';
    case 'failure':
      return 'no-store';
  }
}

function blockingSeconds(targetDuration: number): number {
  return Math.min(MAX_BLOCKING_SECONDS, Math.max(1, Math.round(targetDuration * BLOCKING_TARGET_DURATIONS)));
}
