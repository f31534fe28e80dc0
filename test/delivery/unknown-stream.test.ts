import { readdir, stat } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';

const STREAM = 'nobody';
const ASKED_PER_SECOND = 1_000;
const SECONDS = 2;
const TICK_MS = 10;
/** The self-hosted edge's own cache keeps a refusal for so long, milliseconds. */
const REFUSAL_KEPT_MS = 250;
const PATHS = ['index.m3u8', 'v/index.m3u8', 'v/index.m3u8?_HLS_msn=0', 'v/1-init.mp4', 'v/1-0.0.m4s'];
const SOCKETS = 64;

describe.each([
  ["with the edge's cache", 64],
  ['without a cache', 0],
])('a stream that never was, asked for a thousand times a second, %s', (_, cacheMib) => {
  test('is answered 404, to be kept for a second at most, and nothing is written', async () => {
    const edge = await startEdgeAlone({ cacheMib });
    const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
    try {
      const folder = edge.url + (await edge.viewerPath('curious', STREAM));
      const others = new Set(await hubFiles(edge));
      // What the runtime makes for every object that is named at all is there with the first question.
      await Promise.all(PATHS.map((path) => ask(`${folder}/${path}`, agent)));
      const filesBefore = await storedFiles(edge, others);
      const before = await edge.hubLoad(STREAM);
      const startedAt = performance.now();

      const outcomes = await askSteadily(folder, agent);

      expect(new Set(outcomes)).toEqual(new Set(['404 public, max-age=1, stale-if-error=0']));
      const after = await edge.hubLoad(STREAM);
      const reached = after.playlists + after.media - before.playlists - before.media;
      if (cacheMib > 0) {
        const periods = Math.ceil((performance.now() - startedAt) / REFUSAL_KEPT_MS) + 1;
        expect(reached).toBeLessThanOrEqual(PATHS.length * periods);
        expect(reached).toBeLessThan(outcomes.length);
      } else {
        expect(reached).toBe(outcomes.length);
      }
      expect(after.held).toBe(0);
      expect(await storedFiles(edge, others)).toEqual(filesBefore);
    } finally {
      agent.destroy();
      await edge.stop();
    }
  });
});

async function askSteadily(folder: string, agent: Agent): Promise<readonly string[]> {
  const perTick = (ASKED_PER_SECOND * TICK_MS) / 1000;
  const asked: Promise<string>[] = [];
  const startedAt = performance.now();
  for (let tick = 0; tick < (SECONDS * 1000) / TICK_MS; tick += 1) {
    for (let at = 0; at < perTick; at += 1) {
      asked.push(ask(`${folder}/${PATHS[at % PATHS.length]}`, agent));
    }
    await sleep(Math.max(0, startedAt + (tick + 1) * TICK_MS - performance.now()));
  }
  return Promise.all(asked);
}

function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      answer.on('error', reject);
      answer.on('end', () => resolve(`${answer.statusCode} ${answer.headers['cache-control']}`));
      answer.resume();
    }).on('error', reject);
  });
}

/** Names of the databases of hubs. */
async function hubFiles(edge: EdgeAlone): Promise<readonly string[]> {
  const names = await readdir(edge.dataDir, { recursive: true });
  return names.filter((name) => /StreamHub.[0-9a-f]{64}\.sqlite/.test(name));
}

/** Every file but `others`, with its size and the instant of its last change: hubs, caches, object storage. */
async function storedFiles(edge: EdgeAlone, others: ReadonlySet<string>): Promise<readonly string[]> {
  const names = await readdir(edge.dataDir, { recursive: true });
  const files = await Promise.all(
    names
      .filter((name) => !others.has(name))
      .map(async (name) => {
        const facts = await stat(join(edge.dataDir, name));
        return facts.isDirectory() ? [] : [`${name} ${facts.size} ${facts.mtimeMs}`];
      }),
  );
  return files.flat().sort();
}
