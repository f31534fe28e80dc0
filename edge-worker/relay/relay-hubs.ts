/** Hubs as they are reached from a region: through its relays. */

import type { Env, Hubs } from '../env.ts';
import type { Region } from './region.ts';

/**
 * Names the relay that a canonical request belongs to: one for each rendition and one for the multivariant
 * playlist, since all of a region's data centres together ask for more than one object can answer.
 */
export function relayName(path: string, region: Region): string {
  const [, , stream = '', second = '', file] = path.split('/');
  return file === undefined ? `${stream}@${region}` : `${stream}/${second}@${region}`;
}

/** Relays of a region in the hubs' place; they are created near it. */
export function relayHubs(relays: NonNullable<Env['RELAY']>, region: Region): Hubs {
  return {
    getByName: () => ({
      fetch: async (input, init) => {
        const request = new Request(input, init);
        const name = relayName(new URL(request.url).pathname, region);
        return relays.getByName(name, { locationHint: region }).fetch(request);
      },
    }),
  };
}

/** Whether regions have relays: `RILL_RELAYS` is `on`. */
export function hasRelays(env: Env): boolean {
  return env.RILL_RELAYS === 'on';
}
