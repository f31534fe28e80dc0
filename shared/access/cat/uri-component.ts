/** Components of a URI that `catu` names (CTA-5007-B §4.6.10), from the URL as the WHATWG parser normalised it. */

import type { UrlParts } from '../request-facts.ts';

/** Components in the order of their labels. */
export const URI_COMPONENTS = [
  'scheme',
  'host',
  'port',
  'path',
  'query',
  'parent-path',
  'filename',
  'stem',
  'extension',
] as const;
/** A component of a URI. */
export type UriComponent = (typeof URI_COMPONENTS)[number];

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Gives a component's text; the extension begins with its dot. */
export function uriComponent(url: UrlParts, component: UriComponent): string {
  switch (component) {
    case 'scheme':
      return url.protocol.slice(0, -1);
    case 'host':
      return url.hostname;
    case 'port':
      return url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
    case 'path':
      return url.pathname;
    case 'query':
      return url.search.slice(1);
    case 'parent-path':
      return url.pathname.slice(0, url.pathname.lastIndexOf('/'));
    case 'filename':
      return filename(url);
    case 'stem':
      return filename(url).slice(0, dotOf(filename(url)));
    case 'extension':
      return filename(url).slice(dotOf(filename(url)));
  }
}

function filename(url: UrlParts): string {
  return url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
}

/** Where the extension begins: at the last dot, or nowhere. */
function dotOf(name: string): number {
  const dot = name.lastIndexOf('.');
  return dot === -1 ? name.length : dot;
}
