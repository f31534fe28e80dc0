/**
 * Brings events to webhooks: signed, in order for each stream and receiver, and again until they are taken. A
 * receiver that is away keeps neither others nor the origin waiting.
 */

import { randomUUID } from 'node:crypto';
import type { Log } from '../../log.ts';
import { pause, retryDelay, type Backoff } from '../../backoff.ts';
import type { HttpSend } from '../../publish/http-client.ts';
import type { OriginEvent } from '../event-log.ts';
import { Outbox, type QueuedMessage } from './outbox.ts';
import type { WebhookReceiver } from './settings.ts';
import { signedHeaders } from './signature.ts';

/** Bounds of the sender. */
export interface WebhookLimits {
  /** Wait between tries of one message. */
  readonly retry: Backoff;
  /** A message is tried for so long, milliseconds. */
  readonly maxAgeMs: number;
  /** Messages that wait for one receiver; beyond, the oldest are given up. */
  readonly maxWaiting: number;
}

/** Limits in service: Standard Webhooks asks for tries over days. */
const LIMITS: WebhookLimits = {
  retry: { baseMs: 1_000, maxMs: 10 * 60_000 },
  maxAgeMs: 3 * 24 * 3_600_000,
  maxWaiting: 10_000,
};
/** What a receiver says is not used; more than this of it is not read either, bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Numbers of one receiver. */
export interface WebhookStats {
  readonly receiver: string;
  readonly waiting: number;
  readonly delivered: number;
  readonly failedTries: number;
  readonly dropped: number;
}

/** What a sender is opened with. */
export interface WebhookSenderOptions {
  readonly folder: string;
  readonly receivers: readonly WebhookReceiver[];
  readonly send: HttpSend;
  readonly log: Log;
  readonly limits?: Partial<WebhookLimits>;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** A message with the promise that the disk has it: what is not kept is not sent yet. */
interface Waiting {
  readonly message: QueuedMessage;
  readonly stored: Promise<void>;
}

interface Counts {
  delivered: number;
  failedTries: number;
  dropped: number;
}

/** Opens the sender; messages that an earlier run left are sent first. */
export async function openWebhookSender(options: WebhookSenderOptions): Promise<WebhookSender> {
  const { outbox, left } = await Outbox.open(options.folder, options.log);
  return new WebhookSender(options, outbox, left);
}

/** Sends messages; made by {@link openWebhookSender}. */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #outbox: Outbox;
  readonly #limits: WebhookLimits;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #lanes = new Map<string, Waiting[]>();
  readonly #counts = new Map<string, Counts>();
  #receivers: ReadonlyMap<string, WebhookReceiver>;

  constructor(options: WebhookSenderOptions, outbox: Outbox, left: readonly QueuedMessage[]) {
    this.#options = options;
    this.#outbox = outbox;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
    this.#receivers = byName(options.receivers);
    for (const message of left) {
      this.#queue(message);
    }
  }

  /** Numbers of each receiver. */
  get stats(): readonly WebhookStats[] {
    return [...this.#receivers.keys()].map((receiver) => ({
      receiver,
      waiting: this.#waitingOf(receiver).length,
      ...this.#countsOf(receiver),
    }));
  }

  /** Puts other receivers in place; what waits for one that is gone is given up. */
  setReceivers(receivers: readonly WebhookReceiver[]): void {
    this.#receivers = byName(receivers);
  }

  /** Sends an event to everybody who wants it; resolves when it is kept for all of them. */
  async publish(event: OriginEvent): Promise<void> {
    const { type, timestamp, stream, data } = event;
    const body = JSON.stringify({ type, timestamp, data: stream === undefined ? data : { stream, ...data } });
    const wanted = [...this.#receivers.values()].filter(({ events }) => events.includes(type));
    await Promise.all(
      wanted.map(async ({ name }) => {
        const { queued, stored } = this.#outbox.add({
          ...{ id: `msg_${randomUUID()}`, receiver: name, lane: stream ?? '', body, createdAt: this.#now() },
        });
        this.#makeRoom(name);
        this.#queue(queued, stored);
        await stored;
      }),
    );
  }

  /** Ends all tries; what waits is kept for the next start once this has resolved. */
  async close(): Promise<void> {
    this.#abort.abort();
    await Promise.all([...this.#lanes.values()].flat().map(({ stored }) => stored));
  }

  #queue(message: QueuedMessage, stored: Promise<void> = Promise.resolve()): void {
    const key = laneOf(message);
    const lane = this.#lanes.get(key);
    if (lane !== undefined) {
      lane.push({ message, stored });
      return;
    }
    const started = [{ message, stored }];
    this.#lanes.set(key, started);
    void this.#run(key, started);
  }

  /** One lane's messages, one after the other. */
  async #run(key: string, lane: Waiting[]): Promise<void> {
    let attempt = 0;
    for (let head = lane[0]; head !== undefined && !this.#abort.signal.aborted; head = lane[0]) {
      await head.stored;
      if (await this.#try(head.message, attempt)) {
        attempt = 0;
        // It may have had to make room meanwhile.
        if (lane[0] === head) {
          lane.shift();
        }
      } else {
        attempt += 1;
        const random = (this.#options.random ?? Math.random)();
        await pause(retryDelay(attempt, this.#limits.retry, random), this.#abort.signal);
      }
    }
    this.#lanes.delete(key);
  }

  /** True when the message is done with, taken or not. */
  async #try(message: QueuedMessage, attempt: number): Promise<boolean> {
    const receiver = this.#receivers.get(message.receiver);
    if (receiver === undefined) {
      return this.#giveUp(message, 'no webhook has that name any more');
    }
    if (this.#now() - message.createdAt > this.#limits.maxAgeMs) {
      return this.#giveUp(message, 'it was not taken for too long');
    }
    const failure = await this.#post(message, receiver);
    if (this.#abort.signal.aborted) {
      return false;
    }
    const counts = this.#countsOf(receiver.name);
    if (failure !== undefined) {
      counts.failedTries += 1;
      const level = attempt === 0 ? 'warn' : 'debug';
      this.#options.log[level](
        { webhook: receiver.name, messageId: message.id, attempt: attempt + 1 },
        `webhook ${failure}: the message is sent again`,
      );
      return false;
    }
    counts.delivered += 1;
    await this.#outbox.remove(message.order);
    return true;
  }

  /** Why the message was not taken; `undefined` when it was. */
  async #post(message: QueuedMessage, receiver: WebhookReceiver): Promise<string | undefined> {
    const timestamp = Math.floor(this.#now() / 1000);
    try {
      const answer = await this.#options.send({
        method: 'POST',
        url: receiver.url,
        headers: signedHeaders({ id: message.id, body: message.body, timestamp, secrets: receiver.secrets }),
        body: Buffer.from(message.body),
        timeoutMs: receiver.timeoutMs,
        maxAnswerBytes: MAX_ANSWER_BYTES,
        signal: this.#abort.signal,
      });
      return answer.status >= 200 && answer.status < 300 ? undefined : `answered ${answer.status}`;
    } catch (error) {
      return error instanceof Error && 'code' in error ? `failed (${String(error.code)})` : 'failed';
    }
  }

  async #giveUp(message: QueuedMessage, why: string): Promise<true> {
    this.#countsOf(message.receiver).dropped += 1;
    const { receiver: webhook, id: messageId, lane: stream } = message;
    this.#options.log.error({ webhook, messageId, stream }, `a webhook message is given up: ${why}`);
    await this.#outbox.remove(message.order);
    return true;
  }

  #makeRoom(receiver: string): void {
    const waiting = this.#waitingOf(receiver);
    if (waiting.length < this.#limits.maxWaiting) {
      return;
    }
    const [oldest] = waiting.toSorted((a, b) => a.message.order - b.message.order);
    if (oldest !== undefined) {
      const lane = this.#lanes.get(laneOf(oldest.message)) ?? [];
      lane.splice(lane.indexOf(oldest), 1);
      void this.#giveUp(oldest.message, 'too many messages wait');
    }
  }

  #waitingOf(receiver: string): readonly Waiting[] {
    return [...this.#lanes.values()].flat().filter(({ message }) => message.receiver === receiver);
  }

  #countsOf(receiver: string): Counts {
    const known = this.#counts.get(receiver);
    if (known !== undefined) {
      return known;
    }
    const counts = { delivered: 0, failedTries: 0, dropped: 0 };
    this.#counts.set(receiver, counts);
    return counts;
  }
}

function laneOf({ receiver, lane }: QueuedMessage): string {
  return `${receiver} ${lane}`;
}

function byName(receivers: readonly WebhookReceiver[]): ReadonlyMap<string, WebhookReceiver> {
  return new Map(receivers.map((receiver) => [receiver.name, receiver]));
}
