/** Which objects of which stream are still on their way to storage, and when all of an ended stream are there. */

import { z } from 'zod';
import type { Log } from '../../log.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';

const recordingSchema = z.object({
  stream: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  /** Media time, seconds. */
  seconds: z.number(),
  /** Key prefix of all its objects. */
  prefix: z.string(),
  epochs: z.array(z.object({ epoch: z.int(), firstMsn: z.int(), lastMsn: z.int() })),
  renditions: z.array(z.record(z.string(), z.unknown())),
  objects: z.int(),
  bytes: z.number(),
  /** Objects that were given up: 0 for a whole recording. */
  lostObjects: z.int(),
});
/** What is told of a finished recording. */
export type Recording = z.infer<typeof recordingSchema>;
/** What the stream itself knows of it. */
export type RecordingFacts = Pick<Recording, 'startedAt' | 'endedAt' | 'seconds' | 'renditions'>;

/** `live/{stream}/{epoch}/{rendition}/{msn}[.{part}].m4s`. */
const KEY =
  /^live\/(?<stream>[^/]+)\/(?<epoch>[0-9]{1,15})\/[^/]+\/(?:init\.mp4|(?<msn>[0-9]{1,15})(?:\.[0-9]{1,15})?\.m4s)$/;
/** Ended recordings that wait for storage; beyond, the oldest are forgotten. */
const MAX_ENDED = 1_000;

interface Account {
  readonly pending: Set<string>;
  readonly epochs: Map<number, { firstMsn: number; lastMsn: number }>;
  objects: number;
  bytes: number;
  lostObjects: number;
}

/** What a ledger is opened with. */
export interface RecordingLedgerOptions {
  readonly path: string;
  /** Objects on their way before any stream of this run has written one: those of an earlier run. */
  readonly waitingObjects: () => number;
  readonly onReady: (recording: Recording) => void;
  readonly log: Log;
}

/** Keeps account of objects by stream. */
export class RecordingLedger {
  readonly #options: RecordingLedgerOptions;
  readonly #accounts = new Map<string, Account>();
  /** Ended in this run, with the account that has to be empty. */
  readonly #ended: { readonly recording: Recording; readonly account: Account }[] = [];
  #earlier: readonly Recording[];
  #earlierObjects: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: RecordingLedgerOptions, earlier: readonly Recording[]) {
    this.#options = options;
    this.#earlier = earlier;
    this.#earlierObjects = options.waitingObjects();
  }

  /** Reads which recordings of an earlier run wait for their objects. */
  static async open(options: RecordingLedgerOptions): Promise<RecordingLedger> {
    const earlier = await readJsonFile(options.path, z.array(recordingSchema), []);
    const ledger = new RecordingLedger(options, earlier);
    ledger.#settle();
    return ledger;
  }

  /** An object is on its way. */
  written(key: string, bytes: number): void {
    const read = KEY.exec(key)?.groups;
    if (read === undefined) {
      return;
    }
    const account = this.#accountOf(read['stream'] ?? '');
    account.pending.add(key);
    account.objects += 1;
    account.bytes += bytes;
    if (read['msn'] !== undefined) {
      extend(account, Number(read['epoch']), Number(read['msn']));
    }
  }

  /** An object is in storage, or was given up for good. */
  settled(key: string, how: 'stored' | 'lost'): void {
    const stream = KEY.exec(key)?.groups?.['stream'] ?? '';
    const accounts = [this.#accounts.get(stream), ...this.#ended.map(({ account }) => account)];
    const account = accounts.find((one) => one?.pending.delete(key));
    if (account === undefined) {
      this.#earlierObjects -= 1;
    } else if (how === 'lost') {
      account.lostObjects += 1;
    }
    this.#settle();
  }

  /** The stream is over: its recording is ready as soon as its last object is stored. */
  ended(stream: string, facts: RecordingFacts): void {
    const account = this.#accounts.get(stream);
    this.#accounts.delete(stream);
    if (account === undefined || account.epochs.size === 0) {
      return;
    }
    const recording = { stream, prefix: `live/${stream}/`, ...facts, ...figures(account) };
    this.#ended.push({ recording, account });
    if (this.#ended.length > MAX_ENDED) {
      this.#ended.shift();
    }
    this.#keep();
    this.#settle();
  }

  #settle(): void {
    const ready = this.#ended.filter(({ account }) => account.pending.size === 0);
    for (const { recording, account } of ready) {
      this.#options.onReady({ ...recording, ...figures(account) });
    }
    const earlier = this.#earlierObjects <= 0 ? this.#earlier : [];
    for (const recording of earlier) {
      this.#options.onReady(recording);
    }
    if (ready.length + earlier.length > 0) {
      const left = this.#ended.filter(({ account }) => account.pending.size > 0);
      this.#ended.splice(0, this.#ended.length, ...left);
      this.#earlier = this.#earlierObjects <= 0 ? [] : this.#earlier;
      this.#keep();
    }
  }

  #keep(): void {
    const kept = [...this.#earlier, ...this.#ended.map(({ recording }) => recording)];
    this.#writing = this.#writing
      .then(() => writeJsonFile(this.#options.path, kept))
      .catch((error: unknown) => {
        this.#options.log.error(`recordings that are not ready cannot be kept: ${String(error)}`);
      });
  }

  #accountOf(stream: string): Account {
    const known = this.#accounts.get(stream);
    if (known !== undefined) {
      return known;
    }
    const account: Account = {
      ...{ pending: new Set<string>(), epochs: new Map(), objects: 0, bytes: 0, lostObjects: 0 },
    };
    this.#accounts.set(stream, account);
    return account;
  }
}

function extend({ epochs }: Account, epoch: number, msn: number): void {
  const { firstMsn = msn, lastMsn = msn } = epochs.get(epoch) ?? {};
  epochs.set(epoch, { firstMsn: Math.min(firstMsn, msn), lastMsn: Math.max(lastMsn, msn) });
}

function figures(account: Account): Pick<Recording, 'epochs' | 'objects' | 'bytes' | 'lostObjects'> {
  const { epochs, objects, bytes, lostObjects } = account;
  return { epochs: [...epochs].map(([epoch, range]) => ({ epoch, ...range })), objects, bytes, lostObjects };
}
