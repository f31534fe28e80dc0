/** Hubs as they are reached from a region: through its relay of each stream. */

import type { Env, Hubs } from '../env.ts';
import type { Region } from './region.ts';

/** Relays of a region in the hubs' place; they are created near it. */
export function relayHubs(relays: NonNullable<Env['RELAY']>, region: Region): Hubs {
  return {
    getByName: (stream) => relays.getByName(`${stream}@${region}`, { locationHint: region }),
  };
}

/** Whether regions have relays: `RILL_RELAYS` is `on`. */
export function hasRelays(env: Env): boolean {
  return env.RILL_RELAYS === 'on';
}
