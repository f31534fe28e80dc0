/** What a hub publisher tells its owner when an epoch is over for the hub. */

import type { PublishAnswer } from '#shared/wire/publish.ts';

/** Why an epoch cannot go on at its hub; the owner begins a new one, with a discontinuity. */
export type HubLoss =
  /** A newer epoch has begun, or the MSN was used already. */
  | { readonly reason: 'stale'; readonly latestEpoch: number; readonly nextMsn: number }
  /** Another origin publishes this stream. */
  | { readonly reason: 'fenced' }
  /** The hub wants an update that is no longer kept. */
  | { readonly reason: 'gap'; readonly expected: number; readonly oldest: number }
  /** The hub was away for longer than the window reaches; it is back now. */
  | { readonly reason: 'overflow'; readonly droppedUpdates: number }
  /** The hub does not accept what we say: a bug on one of the two sides. */
  | { readonly reason: 'invalid'; readonly detail: string };

/** What an answer that ends an epoch means. */
export function lossOf(answer: Extract<PublishAnswer, { status: 'stale' | 'fenced' | 'invalid' }>): HubLoss {
  switch (answer.status) {
    case 'stale':
      return { reason: 'stale', latestEpoch: answer.latestEpoch, nextMsn: answer.nextMsn };
    case 'fenced':
      return { reason: 'fenced' };
    case 'invalid':
      return { reason: 'invalid', detail: answer.detail };
  }
}
