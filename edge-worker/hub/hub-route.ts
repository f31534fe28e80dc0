/** What a request to a stream hub asks for. */

import {
  parseMediaFileName,
  parseRenditionName,
  parseStreamName,
  type MediaFile,
} from '#shared/identifiers.ts';

/** A recognised request; names have been checked. */
export type HubRoute =
  | { readonly kind: 'publish'; readonly epoch: number }
  | { readonly kind: 'position' }
  | { readonly kind: 'lease' }
  | { readonly kind: 'load' }
  | { readonly kind: 'multivariant' }
  | { readonly kind: 'media-playlist'; readonly rendition: string }
  | { readonly kind: 'media'; readonly rendition: string; readonly file: MediaFile }
  | { readonly kind: 'unknown' };

const EPOCH = /^[1-9][0-9]{0,14}$/;
const UNKNOWN: HubRoute = { kind: 'unknown' };

/** Recognises a request by its method and path. */
export function routeOf(method: string, pathname: string): HubRoute {
  const [, folder, stream = '', ...rest] = pathname.split('/');
  if (!parseStreamName(stream).ok) {
    return UNKNOWN;
  }
  if (folder === 'publish') {
    return publishRoute(method, rest);
  }
  return folder === 'live' && method === 'GET' ? liveRoute(rest) : UNKNOWN;
}

function publishRoute(method: string, rest: readonly string[]): HubRoute {
  const [epoch] = rest;
  if (epoch === undefined) {
    return method === 'GET' ? { kind: 'position' } : UNKNOWN;
  }
  if (method === 'GET') {
    return rest.length === 1 && epoch === 'load' ? { kind: 'load' } : UNKNOWN;
  }
  if (method === 'POST' && rest.length === 1 && epoch === 'lease') {
    return { kind: 'lease' };
  }
  return method === 'POST' && rest.length === 1 && EPOCH.test(epoch)
    ? { kind: 'publish', epoch: Number(epoch) }
    : UNKNOWN;
}

function liveRoute(rest: readonly string[]): HubRoute {
  const [rendition = '', name] = rest;
  if (rest.length === 1 && rendition === 'index.m3u8') {
    return { kind: 'multivariant' };
  }
  if (rest.length !== 2 || name === undefined || !parseRenditionName(rendition).ok) {
    return UNKNOWN;
  }
  if (name === 'index.m3u8') {
    return { kind: 'media-playlist', rendition };
  }
  const file = parseMediaFileName(name);
  return file === undefined ? UNKNOWN : { kind: 'media', rendition, file };
}
