/** A webhook that decides who may publish: asked over HTTPS, with a signed body, its answers kept for a while. */

import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Log } from '../../log.ts';
import { claimId, DecisionCache } from './decision-cache.ts';
import type { PublishClaim, PublishDecider, PublishDecision } from './publish-decision.ts';

/** Posts a body; resolves with any answer, rejects without one. */
export type Post = (request: {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}) => Promise<{ readonly status: number; readonly body: Uint8Array }>;

/** How a webhook is asked. */
export interface WebhookSettings {
  readonly url: URL;
  /** Signs what is asked. */
  readonly secret: string;
  readonly timeoutMs: number;
  readonly cacheAllowMs: number;
  readonly cacheDenyMs: number;
}

/** Questions at once, over all streams. */
const MAX_QUESTIONS = 16;
/** Questions at once for one address, so that nobody takes all of them. */
const MAX_QUESTIONS_PER_ADDRESS = 4;
/** Longest credential that is passed on, characters. */
const MAX_CREDENTIAL = 4_096;
/** An answer is a line of JSON. */
const MAX_ANSWER_BYTES = 4_096;
/** Decisions that are kept; those against somebody apart, so that guesses push nobody out who may publish. */
const MAX_KEPT = 10_000;
const MILLISECONDS_PER_SECOND = 1_000;

const answerSchema = z.object({ allow: z.boolean() });

/** Header of the signature: `t=UNIX SECONDS,v1=HEX`. */
const SIGNATURE_HEADER = 'rill-signature';

/** The header's value: an HMAC-SHA256 over `t`, a full stop and the body, by which a webhook knows us and the time. */
function signQuestion(body: Uint8Array, secret: string, unixSeconds: number): string {
  const mac = createHmac('sha256', secret).update(`${unixSeconds}.`).update(body).digest('hex');
  return `t=${unixSeconds},v1=${mac}`;
}

/** Asks a webhook. */
export class WebhookDecider implements PublishDecider {
  readonly #settings: WebhookSettings;
  readonly #post: Post;
  readonly #log: Log;
  /** Milliseconds since 1970. */
  readonly #now: () => number;
  readonly #allowed = new DecisionCache<PublishDecision>(MAX_KEPT);
  readonly #refused = new DecisionCache<PublishDecision>(MAX_KEPT);
  readonly #asking = new Map<
    string,
    { readonly address: string | undefined; readonly answer: Promise<PublishDecision> }
  >();

  constructor(
    settings: WebhookSettings,
    parts: { readonly post: Post; readonly log: Log; readonly now: () => number },
  ) {
    this.#settings = settings;
    this.#post = parts.post;
    this.#log = parts.log;
    this.#now = parts.now;
  }

  decide(claim: PublishClaim): PublishDecision | Promise<PublishDecision> {
    if (claim.credential.length > MAX_CREDENTIAL) {
      return { kind: 'refused', detail: 'a key longer than any is' };
    }
    const id = claimId(claim);
    const now = this.#now();
    const known = this.#allowed.find(id, now) ?? this.#refused.find(id, now) ?? this.#asking.get(id)?.answer;
    if (known !== undefined) {
      return known;
    }
    if (this.#isBusy(claim.address)) {
      return { kind: 'undecided', detail: 'too many questions wait for the publish webhook' };
    }
    const answer = this.#ask(id, claim).finally(() => this.#asking.delete(id));
    this.#asking.set(id, { address: claim.address, answer });
    return answer;
  }

  #isBusy(address: string | undefined): boolean {
    const fromAddress = [...this.#asking.values()].filter((question) => question.address === address);
    return this.#asking.size >= MAX_QUESTIONS || fromAddress.length >= MAX_QUESTIONS_PER_ADDRESS;
  }

  async #ask(id: string, claim: PublishClaim): Promise<PublishDecision> {
    const { cacheAllowMs, cacheDenyMs } = this.#settings;
    const decision = await this.#send(claim);
    const now = this.#now();
    switch (decision.kind) {
      case 'allowed':
        this.#allowed.keep(id, decision, now + cacheAllowMs);
        break;
      case 'refused':
        this.#refused.keep(id, decision, now + cacheDenyMs);
        break;
      case 'undecided':
        this.#log.error({ stream: claim.stream, webhook: this.#settings.url.origin }, decision.detail);
        break;
    }
    return decision;
  }

  async #send(claim: PublishClaim): Promise<PublishDecision> {
    const { url, secret, timeoutMs } = this.#settings;
    const { stream, protocol, credential, address = null } = claim;
    const question = { stream, protocol, address, key: credential === '' ? null : credential };
    const body = new TextEncoder().encode(JSON.stringify(question));
    const time = Math.floor(this.#now() / MILLISECONDS_PER_SECOND);
    const headers = {
      'content-type': 'application/json',
      [SIGNATURE_HEADER]: signQuestion(body, secret, time),
    };
    try {
      const answer = await this.#post({ url, headers, body, timeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES });
      return readAnswer(answer);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return { kind: 'undecided', detail: `the publish webhook is away: ${cause}` };
    }
  }
}

/** Only a clear yes is one; 401 and 403 are a no, and everything else is no answer. */
function readAnswer(answer: { readonly status: number; readonly body: Uint8Array }): PublishDecision {
  if (answer.status === 401 || answer.status === 403) {
    return { kind: 'refused', detail: `the publish webhook answered ${answer.status}` };
  }
  const parsed = answer.status === 200 ? answerSchema.safeParse(readJson(answer.body)) : undefined;
  if (parsed?.success !== true) {
    const detail = `the publish webhook answered ${answer.status} without {"allow": true or false}`;
    return { kind: 'undecided', detail };
  }
  return parsed.data.allow
    ? { kind: 'allowed' }
    : { kind: 'refused', detail: 'the publish webhook does not allow it' };
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
