/** Runs cases against the targets for a number of cases or a time, and says what broke, with the bytes that did it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../shared/access/testing/random-policy.ts';
import { mutate } from './mutate.ts';
import { FUZZ_TARGETS, type FuzzTarget } from './targets.ts';

const CORPUS = join(import.meta.dirname, 'corpus');
/** One case may take so long; the longest that are right take a few milliseconds. */
const SLOW_CASE_MS = 1_000;
/** Failures after which a run stops: they are mostly the same one. */
const MAX_FAILURES = 20;
/** Cases between two looks at the clock. */
const CLOCK_CASES = 64;

/** A case that broke a property. */
export interface FuzzFailure {
  readonly target: string;
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** What a run came to. */
export interface FuzzReport {
  readonly cases: ReadonlyMap<string, number>;
  /** Cases that ended with the reader's own error. */
  readonly refused: ReadonlyMap<string, number>;
  readonly failures: readonly FuzzFailure[];
}

/** The corpus of a target: real captures, and what once broke it. */
function readCorpus(target: FuzzTarget): readonly Uint8Array[] {
  return readdirSync(CORPUS)
    .filter((name) => name.startsWith(`${target.name}-`))
    .toSorted()
    .map((name) => new Uint8Array(readFileSync(join(CORPUS, name))));
}

/** Runs every file of the corpus as it is, then mutations in turn for all targets, until one limit is reached. */
export function runFuzz(options: {
  readonly seed: number;
  readonly cases: number;
  readonly timeMs: number;
}): FuzzReport {
  const random = seededRandom(options.seed);
  const tally = new Tally();
  const all = FUZZ_TARGETS.map((target) => ({ target, seeds: readCorpus(target) }));
  for (const { target, seeds } of all) {
    seeds.forEach((seed) => tally.add(target, seed, runCase(target, seed, random)));
  }
  const deadline = performance.now() + options.timeMs;
  for (let index = 0; index < options.cases && tally.failures.length < MAX_FAILURES; index += 1) {
    if (index % CLOCK_CASES === 0 && performance.now() > deadline) {
      break;
    }
    const one = all[index % all.length];
    if (one !== undefined) {
      const bytes = mutate(one.seeds, random);
      tally.add(one.target, bytes, runCase(one.target, bytes, random));
    }
  }
  return tally;
}

type Outcome = 'read' | 'refused' | { readonly broken: string };

function runCase(target: FuzzTarget, bytes: Uint8Array, random: () => number): Outcome {
  const began = performance.now();
  try {
    target.run(bytes, random);
  } catch (error) {
    if (target.error === undefined || !(error instanceof target.error)) {
      return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    return 'refused';
  }
  const tookMs = performance.now() - began;
  return tookMs > SLOW_CASE_MS ? { broken: `took ${Math.round(tookMs)} ms` } : 'read';
}

class Tally implements FuzzReport {
  readonly cases = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly failures: FuzzFailure[] = [];

  add({ name }: FuzzTarget, bytes: Uint8Array, outcome: Outcome): void {
    this.cases.set(name, (this.cases.get(name) ?? 0) + 1);
    if (outcome === 'refused') {
      this.refused.set(name, (this.refused.get(name) ?? 0) + 1);
    } else if (outcome !== 'read') {
      this.failures.push({ target: name, what: outcome.broken, bytes });
    }
  }
}
