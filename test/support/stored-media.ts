/** Compares what a stream's playlists name with what object storage has. */

import { createHash } from 'node:crypto';
import type { ObjectStore } from '../../origin/publish/object-store.ts';
import { fetchMedia, fetchPlaylist } from './live-client.ts';
import type { Downloaded } from './tolerant-player.ts';

/** What came of it. */
export interface Comparison {
  /** Init segments, segments and parts that were looked for. */
  readonly announced: number;
  /** Those that are not there, or not with the bytes that viewers got. */
  readonly lost: readonly string[];
  /** Segments that are there only as their parts: their run was killed before they were whole. */
  readonly inParts: number;
  readonly discontinuities: number;
}

/** Looks for every file that the playlists name, and for every file that a player has had. */
export async function compareWithStorage(
  playlistUrls: readonly string[],
  store: ObjectStore,
  downloaded: readonly Downloaded[],
): Promise<Comparison> {
  const lost: string[] = [];
  let announced = 0;
  let inParts = 0;
  let discontinuities = 0;
  for (const [index, url] of playlistUrls.entries()) {
    const playlist = await fetchPlaylist(url);
    discontinuities = Math.max(discontinuities, playlist.discontinuities);
    const inits = [...playlist.text.matchAll(/^#EXT-X-MAP:URI="([^"]+)"/gm)].map(([, uri = '']) => uri);
    const listed = [
      ...inits,
      ...playlist.parts.map(({ uri }) => uri),
      ...playlist.segments.map(({ uri }) => uri),
    ];
    for (const uri of new Set(listed)) {
      announced += 1;
      const found = await stored(store, url, uri, sha256(await fetchMedia(url, uri)));
      inParts += Number(found === 'in-parts');
      lost.push(...(found === 'lost' ? [`${uri} (listed)`] : []));
    }
    for (const had of index === 0 ? downloaded : []) {
      announced += 1;
      lost.push(
        ...((await stored(store, url, had.uri, had.sha256)) === 'lost' ? [`${had.uri} (played)`] : []),
      );
    }
  }
  return { announced, lost, inParts, discontinuities };
}

async function stored(
  store: ObjectStore,
  playlistUrl: string,
  uri: string,
  hash: string,
): Promise<'whole' | 'in-parts' | 'lost'> {
  const folder = /\/live\/([^/]+)\/([^/]+)\//.exec(new URL(uri, playlistUrl).pathname);
  const [, epoch = '', file = ''] = /^(\d+)-(.+)$/.exec(uri.replace(/\?.*/, '')) ?? [];
  const key = (name: string): string => `live/${folder?.[1]}/${epoch}/${folder?.[2]}/${name}`;
  const whole = await read(store, key(file));
  if (whole !== undefined) {
    return sha256(whole) === hash ? 'whole' : 'lost';
  }
  const parts: Uint8Array[] = [];
  for (let index = 0; ; index += 1) {
    const part = await read(store, key(file.replace('.m4s', `.${index}.m4s`)));
    if (part === undefined) {
      return 'lost';
    }
    parts.push(part);
    if (sha256(Buffer.concat(parts)) === hash) {
      return 'in-parts';
    }
  }
}

async function read(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  const result = await store.get(key);
  if (!result.ok) {
    throw new Error(result.failure.detail);
  }
  return result.value;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
