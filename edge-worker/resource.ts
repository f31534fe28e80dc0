/** What a viewer may ask for below `/live/`, read from a path and rendered back: one URL for one thing. */

import {
  mediaFileName,
  parseMediaFileName,
  parseRenditionName,
  parseStreamName,
  type MediaFile,
  type RenditionName,
  type StreamName,
} from '../shared/identifiers.ts';
import { fail, ok, type Result } from '../shared/result.ts';

/** An init segment, segment or part. */
export interface MediaResource {
  readonly kind: 'media';
  readonly stream: StreamName;
  readonly rendition: RenditionName;
  readonly file: MediaFile;
}

/** Something that is served below `/live/`. */
export type LiveResource =
  | { readonly kind: 'multivariant-playlist'; readonly stream: StreamName }
  | { readonly kind: 'media-playlist'; readonly stream: StreamName; readonly rendition: RenditionName }
  | MediaResource;

/** Why a path names nothing: the rule it breaks, never the text, which may be hostile. */
export type ResourceFailure = { readonly reason: 'unknown-resource'; readonly detail: string };

/** File name of both playlists. */
const PLAYLIST = 'index.m3u8';

/** Reads a path as it stands in the URL; percent-encoding is in no name, so it is never decoded. */
export function parseLiveResource(path: string): Result<LiveResource, ResourceFailure> {
  const [root, live, streamText = '', second = '', third, ...rest] = path.split('/');
  if (root !== '' || live !== 'live' || rest.length > 0) {
    return unknown('paths are /live/{stream}/index.m3u8 and /live/{stream}/{rendition}/{file}');
  }
  const stream = parseStreamName(streamText);
  if (!stream.ok) {
    return unknown(`stream name: ${stream.failure.expected}`);
  }
  if (third === undefined) {
    return second === PLAYLIST
      ? ok({ kind: 'multivariant-playlist', stream: stream.value })
      : unknown('a stream has an index.m3u8');
  }
  const rendition = parseRenditionName(second);
  if (!rendition.ok) {
    return unknown(`rendition name: ${rendition.failure.expected}`);
  }
  return parseRenditionFile(stream.value, rendition.value, third);
}

/** Renders the one path under which a resource is known. */
export function liveResourcePath(resource: LiveResource): string {
  switch (resource.kind) {
    case 'multivariant-playlist':
      return `/live/${resource.stream}/${PLAYLIST}`;
    case 'media-playlist':
      return `/live/${resource.stream}/${resource.rendition}/${PLAYLIST}`;
    case 'media':
      return `/live/${resource.stream}/${resource.rendition}/${mediaFileName(resource.file)}`;
  }
}

function parseRenditionFile(
  stream: StreamName,
  rendition: RenditionName,
  name: string,
): Result<LiveResource, ResourceFailure> {
  if (name === PLAYLIST) {
    return ok({ kind: 'media-playlist', stream, rendition });
  }
  const file = parseMediaFileName(name);
  return file === undefined
    ? unknown(
        'a rendition has an index.m3u8, {epoch}-init.mp4, {epoch}-{msn}.m4s and {epoch}-{msn}.{part}.m4s',
      )
    : ok({ kind: 'media', stream, rendition, file });
}

function unknown(detail: string): Result<never, ResourceFailure> {
  return fail({ reason: 'unknown-resource', detail });
}
