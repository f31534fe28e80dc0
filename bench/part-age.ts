/**
 * Age of the newest part's last picture when its download through the edge ends, and the time from an
 * encoder's start to the first playable part. Pictures carry the wall clock; encoder, origin, edge and
 * client run on this machine. `npm run bench:age`
 */

import { decodeStamps } from '../test/support/decode-stamps.ts';
import {
  fetchMedia,
  fetchPlaylist,
  fetchVariants,
  followParts,
  until,
  type DownloadedPart,
} from '../test/support/live-client.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { startStampedPublisher } from '../test/support/stamped-publisher.ts';
import { print, printMachine, quantile, summarize } from './report.ts';
import { COPY_LADDER, ENCODED_LADDER } from '../test/support/ladders.ts';

const FOLLOW_MS = 20_000;
const WARM_UP_MS = 4_000;
const ROUNDS = 3;

printMachine('Age of the newest part, time to the first part (640x360p30, H.264 + AAC over RTMP)');
for (const partTarget of [0.5, 0.2]) {
  for (const [name, ladder] of [
    ['copy', COPY_LADDER],
    ['transcoded', ENCODED_LADDER],
  ] as const) {
    await measure(name, partTarget, ladder);
  }
}

async function measure(name: string, partTarget: number, ladder: object): Promise<void> {
  const rill = await startRill({ partTarget, ladder });
  try {
    const ages: number[] = [];
    const firsts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const stream = `bench${round}`;
      const publisher = startStampedPublisher({ url: await rill.rill('publish-url', stream, '--rtmp') });
      try {
        const playUrl = await rill.rill('play-url', stream);
        firsts.push((await firstPart(playUrl)) - publisher.startedAt);
        const [variant] = (await fetchVariants(playUrl)).variants;
        await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
        ages.push(...(await partAges(variant ?? '', await followParts(variant ?? '', FOLLOW_MS))));
      } finally {
        await publisher.stop();
      }
    }
    print(`${name}, parts of ${partTarget} s: age ${summarize(ages, 'ms')}`);
    print(
      `${name}, parts of ${partTarget} s: start → first part ${firsts.map(Math.round).join(', ')} ms, median ${Math.round(quantile(firsts, 0.5))} ms`,
    );
  } finally {
    await rill.stop();
  }
}

async function firstPart(playUrl: string): Promise<number> {
  return until('a media playlist with a part', async () => {
    const [variant] = (await fetchVariants(playUrl)).variants;
    const playlist = variant === undefined ? undefined : await fetchPlaylist(variant);
    const part = playlist?.parts[0];
    if (variant === undefined || part === undefined) {
      return undefined;
    }
    await fetchMedia(variant, part.uri);
    return Date.now();
  });
}

async function partAges(playlistUrl: string, parts: readonly DownloadedPart[]): Promise<readonly number[]> {
  const first = parts.findIndex((part) => part.independent);
  const playlist = await fetchPlaylist(playlistUrl);
  const init = await fetchMedia(playlistUrl, playlist.init ?? '');
  const decodable = parts.slice(Math.max(first, 0));
  const media = Buffer.concat([init, ...decodable.map((part) => part.bytes)]);
  const { stamps } = await decodeStamps(media, Date.now());
  const ages: number[] = [];
  let picture = 0;
  for (const part of decodable) {
    picture += sampleCount(part.bytes);
    const stamp = stamps[picture - 1];
    if (stamp !== undefined) {
      ages.push(part.downloadedAt - stamp);
    }
  }
  return ages;
}

/** Samples of a part: sample_count of its track run box, ISO/IEC 14496-12 §8.8.8. */
function sampleCount(part: Uint8Array): number {
  const bytes = Buffer.from(part);
  const at = bytes.indexOf('trun');
  return at < 0 ? 0 : bytes.readUInt32BE(at + 8);
}
