/** Which of a stream's two feeds is on air: decided from what was seen of each and when, without a clock. */

import type { FeedRole } from '../ingest/media-feed.ts';

/** When to leave a feed and when to go back; milliseconds. */
export interface RedundancyTimes {
  /** Without media for so long a feed is lost. */
  readonly lossAfter: number;
  /** The primary must have run for so long without a break before it is gone back to. */
  readonly returnAfter: number;
}

/** What is known of one feed; times in milliseconds of one clock. */
interface FeedHealth {
  readonly lastMediaAt: number;
  /** Since when it has run without a break of `lossAfter`. */
  readonly healthySince: number;
}

/** What is known of a stream's feeds. */
export interface RedundancyState {
  /** Whether a feed may be on air at all. */
  readonly open: boolean;
  readonly active: FeedRole | undefined;
  readonly primary: FeedHealth | undefined;
  readonly backup: FeedHealth | undefined;
}

/** What happened. */
export type RedundancyEvent =
  | { readonly kind: 'media'; readonly role: FeedRole; readonly at: number }
  /** The connection is gone. */
  | { readonly kind: 'gone'; readonly role: FeedRole; readonly at: number }
  /** Time has passed. */
  | { readonly kind: 'tick'; readonly at: number }
  /** This origin may publish. */
  | { readonly kind: 'open'; readonly at: number };

/** Before any feed. */
export const NO_FEEDS: RedundancyState = {
  open: false,
  active: undefined,
  primary: undefined,
  backup: undefined,
};

/** What is so after an event. */
export function redundancy(
  state: RedundancyState,
  event: RedundancyEvent,
  times: RedundancyTimes,
): RedundancyState {
  const seen = observe(state, event, times);
  return { ...seen, active: seen.open ? choose(seen, event.at, times) : undefined };
}

/** Whether a feed has had media within `lossAfter`. */
export function isHealthy(
  state: RedundancyState,
  role: FeedRole,
  at: number,
  times: RedundancyTimes,
): boolean {
  const health = state[role];
  return health !== undefined && at - health.lastMediaAt < times.lossAfter;
}

function observe(state: RedundancyState, event: RedundancyEvent, times: RedundancyTimes): RedundancyState {
  switch (event.kind) {
    case 'media': {
      const { role, at } = event;
      const since = isHealthy(state, role, at, times) ? state[role]?.healthySince : at;
      return { ...state, [role]: { lastMediaAt: at, healthySince: since ?? at } };
    }
    case 'gone':
      return {
        ...state,
        [event.role]: undefined,
        active: state.active === event.role ? undefined : state.active,
      };
    case 'tick':
      return state;
    case 'open':
      return { ...state, open: true };
  }
}

/** A lost feed is kept on air while the other is no better. */
function choose(state: RedundancyState, at: number, times: RedundancyTimes): FeedRole | undefined {
  const { active } = state;
  const primary = isHealthy(state, 'primary', at, times);
  const backup = isHealthy(state, 'backup', at, times);
  if (active === 'backup' && backup) {
    return primary && hasReturned(state, at, times) ? 'primary' : 'backup';
  }
  if (primary) {
    return 'primary';
  }
  return backup ? 'backup' : active;
}

function hasReturned({ primary }: RedundancyState, at: number, { returnAfter }: RedundancyTimes): boolean {
  return primary !== undefined && at - primary.healthySince >= returnAfter;
}
