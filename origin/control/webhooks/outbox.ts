/** Webhook messages on their way, one file each in the data folder, so that a restart loses none. */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../../log.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';

const messageSchema = z.object({
  /** `webhook-id`: the same in every try, different for every receiver. */
  id: z.string(),
  receiver: z.string(),
  /** Messages of one lane go out in order: a stream's name, or nothing for those about the origin. */
  lane: z.string(),
  body: z.string(),
  /** Unix milliseconds. */
  createdAt: z.number(),
});
/** A message that waits. */
export type WebhookMessage = z.infer<typeof messageSchema>;

/** A message with its place in the order. */
export interface QueuedMessage extends WebhookMessage {
  readonly order: number;
}

const ORDER_DIGITS = 15;
const FILE = /^([0-9]{15})\.json$/;
const NO_MESSAGE: WebhookMessage = { id: '', receiver: '', lane: '', body: '', createdAt: 0 };

/** A folder of messages. */
export class Outbox {
  readonly #folder: string;
  readonly #log: Log;
  #nextOrder: number;

  private constructor(folder: string, log: Log, nextOrder: number) {
    this.#folder = folder;
    this.#log = log;
    this.#nextOrder = nextOrder;
  }

  /** Opens the folder and reads what an earlier run left, in order; a damaged file is told and removed. */
  static async open(
    folder: string,
    log: Log,
  ): Promise<{ readonly outbox: Outbox; readonly left: readonly QueuedMessage[] }> {
    await mkdir(folder, { recursive: true });
    const orders = (await readdir(folder)).flatMap((name) => FILE.exec(name)?.[1] ?? []).sort();
    const outbox = new Outbox(folder, log, Number(orders.at(-1) ?? 0) + 1);
    const left: QueuedMessage[] = [];
    for (const order of orders.map(Number)) {
      const message = await outbox.#read(order);
      if (message !== undefined) {
        left.push(message);
      }
    }
    return { outbox, left };
  }

  /** Gives a message its place; it is kept once `stored` has resolved. */
  add(message: WebhookMessage): { readonly queued: QueuedMessage; readonly stored: Promise<void> } {
    const order = this.#nextOrder;
    this.#nextOrder += 1;
    const stored = writeJsonFile(this.#pathOf(order), message).catch((error: unknown) => {
      this.#log.error(`a webhook message cannot be kept, a restart would lose it: ${String(error)}`);
    });
    return { queued: { ...message, order }, stored };
  }

  /** Forgets a message. */
  async remove(order: number): Promise<void> {
    await rm(this.#pathOf(order), { force: true }).catch((error: unknown) => {
      this.#log.error(`a webhook message that is done cannot be removed: ${String(error)}`);
    });
  }

  async #read(order: number): Promise<QueuedMessage | undefined> {
    try {
      return { ...(await readJsonFile(this.#pathOf(order), messageSchema, NO_MESSAGE)), order };
    } catch (error) {
      this.#log.error(`a webhook message is lost: ${error instanceof Error ? error.message : String(error)}`);
      await this.remove(order);
      return undefined;
    }
  }

  #pathOf(order: number): string {
    return join(this.#folder, `${String(order).padStart(ORDER_DIGITS, '0')}.json`);
  }
}
