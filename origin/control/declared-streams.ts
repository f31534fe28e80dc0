/** What was set through the control API, kept in the data folder: settings of streams, their keys, what is stopped. */

import { z } from 'zod';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import {
  hashPublishKey,
  makePublishKey,
  PUBLISH_KEY_HASH,
  publishKey,
} from '../ingest/access/publish-keys.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** A key in force; times are Unix milliseconds. */
export interface KeptKey {
  readonly hash: string;
  readonly createdAt: number;
  /** The end of an old key's grace time; `undefined` for one without end. */
  readonly validUntil?: number | undefined;
}

/** What is kept of one stream. */
export interface DeclaredStream {
  /** As in `streams.NAME` of the configuration file, not yet read; `undefined`: not declared. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly keys: readonly KeptKey[];
  /** Publishers are refused until then, Unix milliseconds; `null`: until the stream is started again. */
  readonly stoppedUntil?: number | null | undefined;
}

/** Why something could not be kept. */
export type DeclareFailure = { readonly reason: 'too-many'; readonly limit: number };

/** Streams that are kept at most; as many as `maxStreams` may be. */
const MAX_STREAMS = 10_000;
/** Keys of one stream: rotated more often within the grace time, the oldest go. */
const MAX_KEYS = 20;
const NOTHING: DeclaredStream = { keys: [] };

const keptSchema = z.record(
  z.string().refine((name) => parseStreamName(name).ok),
  z.object({
    settings: z.record(z.string(), z.unknown()).optional(),
    keys: z.array(
      z.object({
        hash: z.string().regex(PUBLISH_KEY_HASH),
        createdAt: z.number(),
        validUntil: z.number().optional(),
      }),
    ),
    stoppedUntil: z.number().nullish(),
  }),
);

/** Keeps what was set; a change is in force when it is on disk. */
export class DeclaredStreams {
  readonly #path: string;
  readonly #now: () => number;
  #streams: ReadonlyMap<StreamName, DeclaredStream>;
  #writing: Promise<unknown> = Promise.resolve();
  readonly #listeners: (() => void)[] = [];

  private constructor(path: string, streams: ReadonlyMap<StreamName, DeclaredStream>, now: () => number) {
    this.#path = path;
    this.#streams = streams;
    this.#now = now;
  }

  /** Reads what an earlier run kept. */
  static async open(path: string, now: () => number): Promise<DeclaredStreams> {
    const kept = await readJsonFile(path, keptSchema, {});
    const streams = Object.entries(kept).flatMap(([text, stream]) => {
      const name = parseStreamName(text);
      return name.ok ? [[name.value, stream] as const] : [];
    });
    return new DeclaredStreams(path, new Map(streams), now);
  }

  /** Calls `listener` after each change, once it is on disk. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Everything that is kept. */
  list(): ReadonlyMap<StreamName, DeclaredStream> {
    return this.#streams;
  }

  /** What is kept of a stream; nothing of one that is not known. */
  get(stream: StreamName): DeclaredStream {
    return this.#streams.get(stream) ?? NOTHING;
  }

  /** Hashes of the keys that open a stream now; `undefined` where it has none of its own. */
  keyHashes(stream: StreamName): readonly string[] | undefined {
    const keys = this.validKeys(stream);
    return keys.length === 0 ? undefined : keys.map(({ hash }) => hash);
  }

  /** Keys whose grace time is not over. */
  validKeys(stream: StreamName): readonly KeptKey[] {
    return this.get(stream).keys.filter(({ validUntil = Infinity }) => validUntil > this.#now());
  }

  /** Until when publishers are refused: Unix milliseconds, `null` without end, `undefined` when they are not. */
  stoppedUntil(stream: StreamName): number | null | undefined {
    const { stoppedUntil } = this.get(stream);
    return typeof stoppedUntil === 'number' && stoppedUntil <= this.#now() ? undefined : stoppedUntil;
  }

  /** Declares a stream, or changes its settings; they hold for its next publisher. */
  declare(
    stream: StreamName,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<Result<undefined, DeclareFailure>> {
    return this.#change(stream, (before) => ({ ...before, settings }));
  }

  /** Refuses publishers until then. */
  stop(stream: StreamName, until: number | null): Promise<Result<undefined, DeclareFailure>> {
    return this.#change(stream, (before) => ({ ...before, stoppedUntil: until }));
  }

  /** Lets publishers in again. */
  start(stream: StreamName): Promise<Result<undefined, DeclareFailure>> {
    return this.#change(stream, (before) => ({ ...before, stoppedUntil: undefined }));
  }

  /** Forgets settings and keys, and refuses publishers until then. */
  remove(stream: StreamName, until: number): Promise<Result<undefined, DeclareFailure>> {
    return this.#change(stream, () => ({ keys: [], stoppedUntil: until }));
  }

  /** Makes a new key; those before, the derived one too, are good for `graceMs` more. The key is kept nowhere. */
  async rotate(
    stream: StreamName,
    options: { readonly graceMs: number; readonly publishSecret: string },
  ): Promise<Result<{ readonly key: string; readonly hash: string }, DeclareFailure>> {
    const key = makePublishKey();
    const hash = hashPublishKey(key);
    const now = this.#now();
    const changed = await this.#change(stream, (before) => {
      const valid = this.validKeys(stream);
      const derived = { hash: hashPublishKey(publishKey(options.publishSecret, stream)), createdAt: now };
      const old = (valid.length === 0 ? [derived] : valid).map((one) => ({
        ...one,
        validUntil: Math.min(
          'validUntil' in one ? (one.validUntil ?? Infinity) : Infinity,
          now + options.graceMs,
        ),
      }));
      const keys = [...old.filter(({ validUntil }) => validUntil > now), { hash, createdAt: now }];
      return { ...before, keys: keys.slice(-MAX_KEYS) };
    });
    return changed.ok ? ok({ key, hash }) : changed;
  }

  #change(
    stream: StreamName,
    change: (before: DeclaredStream) => DeclaredStream,
  ): Promise<Result<undefined, DeclareFailure>> {
    const done = this.#writing.then(async () => {
      const kept = new Map(this.#streams);
      const after = change(this.get(stream));
      if (isNothing(after)) {
        kept.delete(stream);
      } else {
        kept.set(stream, after);
      }
      this.#forgetOver(kept);
      if (kept.size > MAX_STREAMS) {
        return fail({ reason: 'too-many' as const, limit: MAX_STREAMS });
      }
      await writeJsonFile(this.#path, Object.fromEntries(kept));
      this.#streams = kept;
      for (const listener of this.#listeners) {
        listener();
      }
      return ok(undefined);
    });
    this.#writing = done.catch(() => undefined);
    return done;
  }

  /** A stop that is over, of a stream that is nothing else, leaves nothing to keep. */
  #forgetOver(streams: Map<StreamName, DeclaredStream>): void {
    for (const [name, { settings, keys, stoppedUntil }] of streams) {
      const isOver = typeof stoppedUntil === 'number' && stoppedUntil <= this.#now();
      if (isOver && settings === undefined && keys.length === 0) {
        streams.delete(name);
      }
    }
  }
}

function isNothing({ settings, keys, stoppedUntil }: DeclaredStream): boolean {
  return settings === undefined && keys.length === 0 && stoppedUntil === undefined;
}
