/** The settings in force, and their replacement while streams run: a file with mistakes changes nothing. */

import type { z } from 'zod';
import { fail, ok, type Result } from '#shared/result.ts';
import type { SettingsFailure } from './settings-environment.ts';
import { configurationSchema, loadSettings, type Settings, type SettingsSources } from './settings.ts';

/** What a reload did: keys of the file, `streams.NAME` for a single stream. */
export interface Reloaded {
  /** In force for what starts from now on. */
  readonly applied: readonly string[];
  /** Changed since the origin started, and in force after its next start. */
  readonly needRestart: readonly string[];
}

/** What live settings are opened with. */
export interface LiveSettingsOptions<L> {
  readonly sources: SettingsSources<L>;
  readonly started: Settings<L>;
  /** Looks at what a schema cannot know (an encoder that ffmpeg lacks); a line for each mistake. */
  readonly check: (settings: Settings<L>) => Promise<readonly string[]>;
}

/** Told after a reload, with what is in force now. */
export type SettingsListener<L> = (settings: Settings<L>, reloaded: Reloaded) => Promise<void> | void;

/** Metadata of a field of the configuration file that running parts do not take over. */
export const NEEDS_RESTART = { reload: 'restart' } as const;

/** Settings that can be read anew. */
export class LiveSettings<L> {
  readonly #options: LiveSettingsOptions<L>;
  readonly #listeners: SettingsListener<L>[] = [];
  #current: Settings<L>;
  #reloads: Promise<unknown> = Promise.resolve();

  constructor(options: LiveSettingsOptions<L>) {
    this.#options = options;
    this.#current = options.started;
  }

  /** What is in force. */
  get current(): Settings<L> {
    return this.#current;
  }

  /** Calls `listener` after each reload, before its caller has the answer. */
  onChange(listener: SettingsListener<L>): void {
    this.#listeners.push(listener);
  }

  /** Reads the configuration file again; one reload at a time. */
  reload(): Promise<Result<Reloaded, SettingsFailure>> {
    const done = this.#reloads.then(() => this.#reload());
    this.#reloads = done.catch(() => undefined);
    return done;
  }

  async #reload(): Promise<Result<Reloaded, SettingsFailure>> {
    const { sources, check, started } = this.#options;
    const loaded = loadSettings(sources);
    if (!loaded.ok) {
      return loaded;
    }
    const lines = await check(loaded.value);
    if (lines.length > 0) {
      return fail({ reason: 'invalid-settings', lines });
    }
    const restart = restartKeys(configurationSchema(sources.ladderSchema).shape);
    const isRestart = (key: string): boolean => restart.has(key.split('.')[0] ?? key);
    const applied = changedKeys(this.#current.file, loaded.value.file).filter((key) => !isRestart(key));
    const needRestart = changedKeys(started.file, loaded.value.file).filter(isRestart);
    this.#current = loaded.value;
    for (const listener of this.#listeners) {
      await listener(loaded.value, { applied, needRestart });
    }
    return ok({ applied, needRestart });
  }
}

type Json = Readonly<Record<string, unknown>>;

/** Keys that differ, in the order of their names; `streams` is told stream by stream. */
export function changedKeys(before: Json, after: Json): readonly string[] {
  return differing(before, after).flatMap((key) =>
    key === 'streams'
      ? differing(asObject(before[key]), asObject(after[key])).map((stream) => `streams.${stream}`)
      : [key],
  );
}

function differing(before: Json, after: Json): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key])).sort();
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

/** Keys whose fields carry {@link NEEDS_RESTART}. */
export function restartKeys(shape: Readonly<Record<string, z.ZodType>>): ReadonlySet<string> {
  const fields = Object.entries(shape);
  return new Set(
    fields.flatMap(([key, field]) => (field.meta()?.['reload'] === NEEDS_RESTART.reload ? [key] : [])),
  );
}
