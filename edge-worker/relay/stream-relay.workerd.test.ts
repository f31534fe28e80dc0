import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { AnswerCache, cacheKey } from '../delivery/cache/answer-cache.ts';
import { AnswerStore } from '../delivery/cache/answer-store.ts';
import { freshSeconds } from '../delivery/cache/freshness.ts';
import { deliver } from '../delivery/deliver.ts';
import type { Hubs, Relays } from '../env.ts';
import { createGateway } from '../gateway/app.ts';
import { begin, framesOf, init, part, type Unnumbered } from '../hub/window-fixture.ts';
import { encodePublishFrames } from '#shared/wire/publish.ts';
import { NOW, signToken, testEnv } from '../testing/fixture.ts';
import { relayHubs, relayName } from './relay-hubs.ts';
import type { Region } from './region.ts';

const VIEWERS = 200;
const PLAYLIST = '/live/show/v/index.m3u8';
const RELAY: Relays = { getByName: (name, options) => env.RELAY.getByName(name, options) };

declare global {
  namespace Cloudflare {
    interface Env {
      RELAY: DurableObjectNamespace;
    }
  }
}

let sequence = 0;

async function publish(updates: readonly Unnumbered[]): Promise<void> {
  const frames = framesOf(updates, sequence);
  sequence += updates.length;
  const hub = env.HUB.getByName('show');
  const body = encodePublishFrames(frames);
  const answer = await hub.fetch('https://hub.rill/publish/show/100', { method: 'POST', body });
  expect(await answer.json()).toMatchObject({ status: 'accepted' });
}

/** Not `text()`: the runtime warns of each body that is not text by its content type. */
async function textOf(answer: Response): Promise<string> {
  return new TextDecoder().decode(await answer.arrayBuffer());
}

/** Counts what reaches the hubs, or relays, behind it. */
function counted(hubs: Hubs): { readonly hubs: Hubs; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    hubs: {
      getByName: (stream) => ({
        fetch: async (input, options) => {
          const request = new Request(input, options);
          asked.push(cacheKey(request));
          return hubs.getByName(stream).fetch(request);
        },
      }),
    },
  };
}

/** A region's viewers: gateway, cache, delivery, and what stands in the hub's place. */
async function viewersOf(hubs: Hubs): Promise<(path: string) => Promise<string>> {
  const bindings = testEnv({ HUB: hubs, MEDIA: env.MEDIA });
  const cache = new AnswerCache({
    store: new AnswerStore({ maxEntries: 1_000, maxBytes: 1e7, maxAnswerBytes: 1e6, maxIdleSeconds: 60 }),
    lifetime: (_key, { status, headers }) => freshSeconds(status, headers),
    now: Date.now,
  });
  const gateway = createGateway({
    deliver: (canonical) => cache.answer(canonical, (missed) => deliver(missed, bindings)),
    now: () => NOW,
  });
  const token = await signToken();
  return async (path) => {
    const answer = await gateway.fetch(new Request(`https://edge.example/t/${token}${path}`), bindings);
    return `${answer.status} ${await textOf(answer)}`;
  };
}

describe('behind the cache', () => {
  it(`${VIEWERS} viewers of a region cost its relay one request for each update and part`, async () => {
    await publish([begin(0, ['v']), init('v'), part('v', 0, 0)]);
    const { hubs, asked } = counted(relayHubs(RELAY, 'weur'));
    const ask = await viewersOf(hubs);
    const everyone = (path: string): Promise<string[]> =>
      Promise.all(Array.from({ length: VIEWERS }, () => ask(path)));

    for (const index of [1, 2, 3]) {
      const held = everyone(`${PLAYLIST}?_HLS_msn=0&_HLS_part=${index}`);
      await publish([part('v', 0, index)]);
      const playlists = new Set(await held);
      expect(playlists.size).toBe(1);
      expect([...playlists][0]).toContain(`100-0.${index}.m4s`);
      expect(new Set(await everyone(`/live/show/v/100-0.${index}.m4s`))).toEqual(
        new Set([`200 <v 0.${index}>`]),
      );
    }
    expect(asked).toHaveLength(6);
    expect(new Set(asked).size).toBe(6);
  });
});

it.each([
  ['/live/show/index.m3u8', 'show@weur'],
  ['/live/show/v/index.m3u8', 'show/v@weur'],
  ['/live/show/v/100-0.1.m4s', 'show/v@weur'],
])('%s belongs to relay %s', (path, name) => {
  expect(relayName(path, 'weur')).toBe(name);
});

describe('a relay', () => {
  const at = (region: Region): Hubs => relayHubs(RELAY, region);

  async function askRelay(region: Region, path: string, stream = 'show'): Promise<Response> {
    return at(region).getByName(stream).fetch(`https://hub.rill${path}`);
  }

  it('holds a reload once for all data centres of its region and gives each the same answer', async () => {
    const path = `${PLAYLIST}?_HLS_msn=0&_HLS_part=4`;
    const held = Array.from({ length: 50 }, () => askRelay('enam', path));
    await publish([part('v', 0, 4)]);
    const answers = await Promise.all(held);
    const how = answers.map((answer) => answer.headers.get('cache-status'));
    expect(how.filter((one) => one === 'rill; fwd=uri-miss; stored')).toHaveLength(1);
    const texts = await Promise.all(answers.map(textOf));
    expect(new Set(texts).size).toBe(1);
    expect(answers[0]?.headers.get('rill-target-duration')).toBe('2');
  });

  it('goes on holding for the others when the first to ask goes away', async () => {
    const url = `https://hub.rill${PLAYLIST}?_HLS_msn=0&_HLS_part=5`;
    const relay = RELAY.getByName('show/v@eeur', { locationHint: 'eeur' });
    const leaving = new AbortController();
    const first = relay.fetch(url, { signal: leaving.signal }).catch(() => 'gone');
    const other = relay.fetch(url);
    await textOf(await askRelay('eeur', PLAYLIST));
    leaving.abort();
    expect(await first).toBe('gone');
    await publish([part('v', 0, 5)]);
    expect(await textOf(await other)).toContain('100-0.5.m4s');
  });

  it('answers a plain reload from the copy that blocking reloads keep fresh', async () => {
    await textOf(await askRelay('oc', `${PLAYLIST}?_HLS_msn=0&_HLS_part=1`));
    const plain = await askRelay('oc', PLAYLIST);
    expect(plain.headers.get('cache-status')).toBe('rill; hit');
    expect(await textOf(plain)).toContain('100-0.5.m4s');
  });

  it('passes on refusals and where else to look', async () => {
    const tooFar = await askRelay('sam', `${PLAYLIST}?_HLS_msn=99`);
    expect([tooFar.status, await textOf(tooFar)]).toEqual([400, expect.stringContaining('beyond')]);
    const unknown = await askRelay('sam', '/live/never/v/index.m3u8', 'never');
    expect(unknown.status).toBe(404);
    await textOf(unknown);
  });
});

describe('delivery', () => {
  it('asks a relay only when the gateway names a region', async () => {
    const url = `https://delivery.rill${PLAYLIST}`;
    const direct = await exports.Delivery.fetch(url);
    const relayed = await exports.Delivery({ props: { region: 'afr' } }).fetch(url);
    expect([direct.status, relayed.status]).toEqual([200, 200]);
    expect(await textOf(relayed)).toBe(await textOf(direct));
    const seen = await relayHubs(RELAY, 'afr').getByName('show').fetch(url);
    expect(seen.headers.get('cache-status')).toBe('rill; hit');
    await textOf(seen);
  });
});
