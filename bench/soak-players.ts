/**
 * Players that watch for a long time: blocking reloads, every part once and in order, no stall; and whether the
 * memory of each process stays flat. A real encoder publishes over RTMP into a whole instance.
 * `npm run bench:soak-players [-- minutes players]`; ends with 1 where a player missed something.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { fetchPlaylist, fetchVariants, until, type ListedPart } from '../test/support/live-client.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { startStampedPublisher } from '../test/support/stamped-publisher.ts';
import { watch, type Watched } from '../test/support/watching-client.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';
import { reportMemory, sampleMemory } from './memory.ts';
import { print, printMachine, quantile } from './report.ts';

const MINUTES = Number(process.argv[2] ?? 30);
const PLAYERS = Number(process.argv[3] ?? 50);
/** Players join one after the other, as they do. */
const JOIN_EVERY_MS = 50;
const MIB = 2 ** 20;
const STREAM = 'soak';

printMachine(`${PLAYERS} players for ${MINUTES} minutes (640x360p30, H.264 + AAC over RTMP, parts of 0.5 s)`);
const rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
const publisher = startStampedPublisher({ url: await rill.rill('publish-url', STREAM, '--rtmp') });
try {
  const url = await until('two complete segments', async () => {
    const [variant] = (await fetchVariants(await rill.rill('play-url', STREAM))).variants;
    return variant !== undefined && (await fetchPlaylist(variant)).segments.length > 1 ? variant : undefined;
  });
  const memory = sampleMemory(rill.processId, MINUTES * 60_000);
  const outcomes = await Promise.all(Array.from({ length: PLAYERS }, (_, index) => play(url, index)));
  const isClean = reportPlayers(outcomes);
  reportMemory(await memory);
  process.exitCode = isClean ? 0 : 1;
} finally {
  await publisher.stop();
  await rill.stop();
}

type Outcome = Watched | { readonly failed: string };

async function play(playlistUrl: string, index: number): Promise<Outcome> {
  await sleep(index * JOIN_EVERY_MS);
  try {
    return await watch({ playlistUrl, durationMs: MINUTES * 60_000, inspect: inspectPart });
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

/** A part is `moof` and `mdat`, and nothing is cut off: ISO/IEC 14496-12 §4.2. */
function inspectPart(_part: ListedPart, bytes: Buffer): string | undefined {
  const types: string[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    types.push(bytes.toString('latin1', at + 4, at + 8));
    at += Math.max(8, bytes.readUInt32BE(at));
  }
  const isWhole = at === bytes.length && types.includes('moof') && types.at(-1) === 'mdat';
  return isWhole ? undefined : `${bytes.length} bytes that are no whole fragment (${types.join(', ')})`;
}

function reportPlayers(outcomes: readonly Outcome[]): boolean {
  const watched = outcomes.filter((outcome) => 'parts' in outcome);
  const parts = watched.map((outcome) => outcome.parts);
  const buffers = watched.map((outcome) => outcome.leastBuffer);
  const bytes = watched.reduce((sum, outcome) => sum + outcome.bytes, 0);
  const stalls = watched.reduce((sum, outcome) => sum + outcome.stalls, 0);
  print(
    `parts a player: median ${quantile(parts, 0.5)}, min ${quantile(parts, 0)}, max ${quantile(parts, 1)}; ` +
      `${Math.round(bytes / MIB)} MiB in all`,
  );
  print(
    `least buffer of a player: median ${quantile(buffers, 0.5).toFixed(2)} s, min ${quantile(buffers, 0).toFixed(2)} s; stalls: ${stalls}`,
  );
  const faults = outcomes.flatMap((outcome, index) =>
    ('failed' in outcome ? [outcome.failed] : outcome.faults).map((fault) => `player ${index}: ${fault}`),
  );
  faults.forEach((fault) => print(fault));
  const isClean = faults.length === 0;
  print(
    isClean ? 'verdict: no stall, nothing missing, nothing repeated' : `verdict: ${faults.length} faults`,
  );
  return isClean;
}
