/** Adds a viewer's parameters to one URI of a playlist, without ever giving them to another host. */

/** A query parameter; both sides as text, not yet encoded. */
export type UriParameter = readonly [name: string, value: string];

/** Parameters made ready for the thousands of URIs of a playlist. */
export interface UriSuffix {
  readonly names: ReadonlySet<string>;
  /** The parameters as a query without its question mark; empty where there is none. */
  readonly query: string;
  /** Goes before a relative path, so that it leads into another folder of the same host; empty where it stays. */
  readonly folder: string;
}

/** What the URIs of one playlist are read with. */
export interface UriContext {
  /** The playlist's own URL, as the viewer asked for it. */
  readonly base: URL;
  /** Values of EXT-X-DEFINE, rfc8216bis §4.4.2.3, as far as this playlist tells them. */
  readonly variables: ReadonlyMap<string, string>;
}

/** A path on the same host whatever the base is: no scheme, no authority, nothing that a URL parser trims. */
const SAME_HOST_PATH = /^(?:\.{1,2}\/|\/(?![/\\]))?[\w.~%-][^:\\\s?#{]*$/;
const VARIABLE = /\{\$([\w-]+)\}/g;

/** Encodes parameters once for a whole playlist; `folder` is a relative path with a slash at its end, or empty. */
export function makeSuffix(parameters: readonly UriParameter[], folder = ''): UriSuffix {
  return {
    folder,
    names: new Set(parameters.map(([name]) => name)),
    query: parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'),
  };
}

/**
 * Adds parameters to a URI's query, before its fragment; one of the same name that is there already is replaced.
 * Variable references stay as they stand. A URI of another host, or one of which that cannot be told, comes back
 * unchanged: the token in it would be a stranger's.
 */
export function appendSuffix(uri: string, suffix: UriSuffix, context: UriContext): string {
  if (suffix.query === '' && suffix.folder === '') {
    return uri;
  }
  if (SAME_HOST_PATH.test(uri)) {
    const moved = uri.startsWith('/') ? uri : suffix.folder + uri;
    return suffix.query === '' ? moved : `${moved}?${suffix.query}`;
  }
  if (suffix.query === '') {
    return uri;
  }
  const known = substitute(uri, context.variables);
  if (known === undefined || !isSameHost(known, context.base)) {
    return uri;
  }
  const hash = uri.indexOf('#');
  const [whole, fragment] = hash < 0 ? [uri, ''] : [uri.slice(0, hash), uri.slice(hash)];
  const kept = withoutParameters(whole, suffix.names);
  const separator = (substitute(kept, context.variables) ?? kept).includes('?') ? '&' : '?';
  return kept + separator + suffix.query + fragment;
}

/** Puts the variables' values in; `undefined` where one that is not known may decide about the host. */
function substitute(uri: string, variables: ReadonlyMap<string, string>): string | undefined {
  let unknownStart = false;
  const text = uri.replace(VARIABLE, (reference, name: string, at: number) => {
    const value = variables.get(name);
    unknownStart ||= value === undefined && !/^[\w.~%-]*\/|^\/[\w.~%-]/.test(uri.slice(0, at));
    return value ?? reference.replaceAll(/[{}$]/g, '');
  });
  return unknownStart ? undefined : text;
}

function isSameHost(uri: string, base: URL): boolean {
  return URL.canParse(uri, base) && new URL(uri, base).origin === base.origin;
}

function withoutParameters(uri: string, names: ReadonlySet<string>): string {
  const question = uri.indexOf('?');
  if (question < 0) {
    return uri;
  }
  const kept = uri
    .slice(question + 1)
    .split('&')
    .filter((pair) => pair !== '' && !names.has(pair.split('=', 1)[0] ?? ''));
  return uri.slice(0, question) + (kept.length === 0 ? '' : `?${kept.join('&')}`);
}
