/** Who else may say that somebody publishes: what a decider is asked, what it answers, and several in a row. */

import type { StreamName } from '#shared/identifiers.ts';
import type { PublishRequest } from '../media-feed.ts';

/** What somebody shows who wants to publish a stream that exists by name. */
export interface PublishClaim {
  readonly stream: StreamName;
  readonly protocol: PublishRequest['protocol'];
  /** Key, token, or whatever else the encoder sent in its place. */
  readonly credential: string;
  /** The IP address alone; `undefined` where it is not known. */
  readonly address: string | undefined;
}

/** A decision; details are for the log and hold no credential. */
export type PublishDecision =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly detail: string }
  /** Nobody could say: the publisher may try again. */
  | { readonly kind: 'undecided'; readonly detail: string };

/** Decides, at once where it can: SRT asks inside its handshake. */
export interface PublishDecider {
  decide(claim: PublishClaim): PublishDecision | Promise<PublishDecision>;
}

/** The decision of the first that allows, else of the last. */
export function decideInTurn(
  deciders: readonly PublishDecider[],
  claim: PublishClaim,
): PublishDecision | Promise<PublishDecision> {
  let last: PublishDecision = { kind: 'refused', detail: 'not the publish key of this stream' };
  for (const [index, decider] of deciders.entries()) {
    const decision = decider.decide(claim);
    if (decision instanceof Promise) {
      return decision.then((decided) => {
        const rest = deciders.slice(index + 1);
        return decided.kind === 'allowed' || rest.length === 0 ? decided : decideInTurn(rest, claim);
      });
    }
    if (decision.kind === 'allowed') {
      return decision;
    }
    last = decision;
  }
  return last;
}
