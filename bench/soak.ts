/**
 * Ten minutes of publishing without a broken picture: RTMP with a chunk size that changes all the time, SRT
 * through a relay that loses 2 % of the packets. `npm run bench:soak [-- minutes]`
 */

import { decodeStamps } from '../test/support/decode-stamps.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, followParts, until } from '../test/support/live-client.ts';
import { startLossyRelay } from '../test/support/lossy-relay.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { startRechunkingRelay } from '../test/support/rechunking-relay.ts';
import { startStampedPublisher } from '../test/support/stamped-publisher.ts';
import { print, printMachine } from './report.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';

const LOSS = 0.02;

const minutes = Number(process.argv[2] ?? 10);
printMachine(`${minutes} minutes of RTMP with changing chunk sizes and of SRT through ${LOSS * 100} % loss`);
const rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
const host = '127.0.0.1';
const lossy = await startLossyRelay({ host, targetPort: rill.ports.srt, lossRate: LOSS, seed: 1 });
const rechunking = await startRechunkingRelay({ host, targetPort: rill.ports.rtmp });
try {
  const rtmpUrl = new URL(await rill.rill('publish-url', 'soak-rtmp', '--rtmp'));
  rtmpUrl.port = String(rechunking.port);
  const srtUrl = await rill.rill('publish-url', 'soak-srt', '--srt');
  const publishers = [
    startStampedPublisher({ url: rtmpUrl.href }),
    startStampedPublisher({ url: srtUrl.replace(`:${rill.ports.srt}`, `:${lossy.port}`) }),
  ];
  await Promise.all(['soak-rtmp', 'soak-srt'].map((stream) => follow(stream)));
  print(`rtmp: chunk size changed ${rechunking.changes()} times`);
  print(`srt: ${lossy.dropped()} of ${lossy.dropped() + lossy.forwarded()} packets lost on the way`);
  await Promise.all(publishers.map((publisher) => publisher.stop()));
} finally {
  await lossy.close();
  await rechunking.close();
  await rill.stop();
}

async function follow(stream: string): Promise<void> {
  const playUrl = await rill.rill('play-url', stream);
  const url = await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  const parts = await followParts(url, minutes * 60_000);
  const init = await fetchMedia(url, (await fetchPlaylist(url)).init ?? '');
  const first = parts.findIndex((part) => part.independent);
  const media = Buffer.concat([init, ...parts.slice(first).map((part) => part.bytes)]);
  const { stamps, errors } = await decodeStamps(media, Date.now());
  const steps = stamps.slice(1).map((stamp, index) => (stamp ?? Number.NaN) - (stamps[index] ?? Number.NaN));
  const unread = stamps.filter((stamp) => stamp === undefined).length;
  const discontinuities = (await fetchPlaylist(url)).discontinuities;
  print(
    `${stream}: ${stamps.length} pictures, ${unread} unreadable, longest step ${Math.max(...steps)} ms, ` +
      `decoder complaints: ${errors === '' ? 'none' : errors.slice(0, 300)}, discontinuities: ${discontinuities}`,
  );
}
