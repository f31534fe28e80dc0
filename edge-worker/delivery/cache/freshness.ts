/** How long a shared cache may keep an answer: RFC 9111 §3 and §4.2.1, explicit lifetimes only. */

/** Longest anything is kept, seconds: what is named for ever leaves the cache because others need the room. */
const MAX_FRESH_SECONDS = 31_536_000;
/** Longest a refusal is kept here, seconds: shields the hub all the same, and a stream that begins is seen at once. */
const MAX_REFUSAL_SECONDS = 0.25;
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
  const fresh = seconds(directives.get('s-maxage') ?? directives.get('max-age'));
  return status >= 400 ? Math.min(fresh, MAX_REFUSAL_SECONDS) : fresh;
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
