import { expect, it } from 'vitest';
import { scriptedHubs, testEnv } from '../testing/fixture.ts';
import type { DeliveryProps } from './entrypoint.ts';
import { reachDelivery, type CallDelivery } from './reach-delivery.ts';
import type { Env } from '../env.ts';

const CANONICAL = 'https://delivery.rill/live/show/360p/index.m3u8?_HLS_msn=4';

/** The properties with which delivery is called for a viewer in Kenya. */
async function propsOf(settings: Partial<Env>): Promise<DeliveryProps[]> {
  const seen: DeliveryProps[] = [];
  const call: CallDelivery = (props) => ({
    fetch: async () => {
      seen.push(props);
      return new Response('from the platform');
    },
  });
  const viewer = new Request('https://edge.example/', { cf: { continent: 'AF', country: 'KE' } });
  const answer = await reachDelivery(new Request(CANONICAL), viewer, { env: testEnv(settings), call });
  await answer.text();
  return seen;
}

it('calls delivery alike for all viewers unless regions have relays', async () => {
  expect(await propsOf({})).toEqual([{}]);
  expect(await propsOf({ RILL_RELAYS: 'off' })).toEqual([{}]);
  expect(await propsOf({ RILL_RELAYS: 'on' })).toEqual([{ region: 'afr' }]);
});

it("goes through this edge's own cache where it has one, one object for each stream", async () => {
  const asked: string[] = [];
  const objects = scriptedHubs((request) => {
    asked.push(request.url);
    return new Response('from our cache');
  });
  expect(await propsOf({ RILL_CACHE_MIB: '0', CACHE: objects })).toEqual([{}]);
  expect(await propsOf({ RILL_CACHE_MIB: '8', CACHE: objects })).toEqual([]);
  expect(asked).toEqual([CANONICAL]);
});
