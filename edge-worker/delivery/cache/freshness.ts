/** How long a shared cache may keep an answer: RFC 9111 §3 and §4.2.1, explicit lifetimes only. */

/** Longest anything is kept, seconds: what is named for ever leaves the cache because others need the room. */
const MAX_FRESH_SECONDS = 31_536_000;
/** Longest a refusal is kept here, seconds: shields the hub all the same, and a stream that begins is seen at once. */
const MAX_REFUSAL_SECONDS = 0.25;
/**
 * Longest an answer is kept that only shared caches may keep (`s-maxage`): a plain media playlist. It is where a
 * player joins, and each moment of its age stays with that player as latency. A quarter of the shortest part target:
 * as old as the hub itself lets such a playlist become before it waits for the next part.
 */
const MAX_PLAIN_PLAYLIST_SECONDS = 0.05;
/** Directives under which a shared cache keeps nothing; revalidation is not tried, so `no-cache` is one of them. */
const NOT_SHARED: ReadonlySet<string> = new Set(['no-store', 'no-cache', 'private']);

/**
 * Seconds for which an answer may be given to others, 0 where it may not be kept. A piece (206) is never kept, nor
 * is an answer that varies or sets a cookie. Nothing is kept by heuristics and nothing is served stale, so an
 * answer that fails never lives longer than it says itself.
 */
export function freshSeconds(status: number, headers: Headers): number {
  if (status === 206 || status === 304 || headers.has('set-cookie') || headers.has('vary')) {
    return 0;
  }
  const directives = parseDirectives(headers.get('cache-control') ?? '');
  if ([...directives.keys()].some((name) => NOT_SHARED.has(name))) {
    return 0;
  }
  const shared = directives.get('s-maxage');
  const fresh = seconds(shared ?? directives.get('max-age'));
  if (status >= 400) {
    return Math.min(fresh, MAX_REFUSAL_SECONDS);
  }
  return shared === undefined ? fresh : Math.min(fresh, MAX_PLAIN_PLAYLIST_SECONDS);
}

function parseDirectives(header: string): ReadonlyMap<string, string> {
  return new Map(
    header.split(',').map((directive): [string, string] => {
      const [name = '', value = ''] = directive.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')];
    }),
  );
}

function seconds(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Math.min(Number(text), MAX_FRESH_SECONDS) : 0;
}
