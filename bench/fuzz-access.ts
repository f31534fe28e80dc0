/**
 * Fuzzes token verification: random texts, and tokens of every kind with bytes changed, cut, moved and put in.
 * None may be accepted, nothing may be thrown. `npm run fuzz:access`, or `-- 50000 7` for a count and a seed.
 */

import { base64url } from 'jose';
import type { TokenAlgorithm } from '#shared/access/key-source.ts';
import {
  makeKey,
  makeVerifier,
  PLAY_SECRET,
  signCat,
  signJwt,
} from '../edge-worker/access/verify/testing/issuer.ts';
import { print, printMachine } from './report.ts';

const DEFAULT_COUNT = 1_000_000;
/** Tokens under way at once: signatures are checked in threads. */
const BATCH = 500;
const ALGORITHMS: readonly TokenAlgorithm[] = ['HS256', 'ES256', 'RS256', 'EdDSA'];
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ %\u0000é'.split('');

const count = Number(process.argv[2] ?? DEFAULT_COUNT);
const random = generator(Number(process.argv[3] ?? Date.now() % 1_000_000_000));
printMachine(`${count} random and mutated tokens`);

const keys = await Promise.all(ALGORITHMS.map((algorithm) => makeKey(algorithm, `key-${algorithm}`)));
const { verifier, context } = makeVerifier(keys.map(({ source }) => source));
const seeds = await makeSeeds();
const grants = new Set<string>();
for (const seed of seeds) {
  const verified = await verifier.verify(seed, context);
  if (!verified.ok) {
    throw new Error(`a seed is refused: ${verified.failure.reason}`);
  }
  grants.add(JSON.stringify(verified.value));
}

const outcomes = new Map<string, number>();
const started = process.hrtime.bigint();
for (let done = 0; done < count; done += BATCH) {
  const tokens = Array.from({ length: Math.min(BATCH, count - done) }, () => makeToken());
  for (const outcome of await Promise.all(tokens.map((token) => outcomeOf(token)))) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
for (const [outcome, times] of [...outcomes].toSorted(([, a], [, b]) => b - a)) {
  print(`${outcome.padEnd(28)} ${times}`);
}
const bad = (outcomes.get('ACCEPTED') ?? 0) + (outcomes.get('THROWN') ?? 0);
print(`${count} tokens in ${seconds.toFixed(1)} s, ${bad} accepted or thrown`);
process.exitCode = bad === 0 ? 0 : 1;

/** One token of each kind and algorithm. */
async function makeSeeds(): Promise<readonly string[]> {
  const play = {
    algorithm: 'HS256',
    signing: new TextEncoder().encode(PLAY_SECRET),
    keyId: undefined,
  } as const;
  const claims = new Map<number, unknown>([
    [1, 'issuer'],
    [7, Uint8Array.of(1, 2, 3)],
    [312, new Map([[3, new Map([[1, '/live/']])]])],
    [313, ['GET']],
    [316, ['DE']],
  ]);
  return [
    ...(await Promise.all(keys.map((key) => signJwt(key, { sub: 'viewer', country: ['DE'] })))),
    ...(await Promise.all(
      keys.slice(0, 2).map((key) => signCat({ ...key, keyId: key.source.keyId }, claims)),
    )),
    await signCat(play, claims),
  ];
}

function makeToken(): string {
  const seed = pick(seeds);
  switch (Math.floor(random() * 8)) {
    case 0:
      return text(Math.floor(random() * 400));
    case 1:
      return base64url.encode(bytes(Math.floor(random() * 300)));
    case 2:
      return [bytes(20), bytes(60), bytes(32)].map((part) => base64url.encode(part)).join('.');
    case 3:
      return mutateText(seed);
    case 4:
      return splice(seed, pick(seeds));
    default:
      return mutateParts(seed);
  }
}

/** Changes characters of the text. */
function mutateText(token: string): string {
  const characters = token.split('');
  const times = 1 + Math.floor(random() * 4);
  for (let index = 0; index < times; index++) {
    const at = Math.floor(random() * characters.length);
    characters.splice(at, random() < 0.5 ? 1 : 0, ...(random() < 0.7 ? [pick(CHARACTERS)] : []));
  }
  return characters.join('');
}

/** Changes the bytes behind the text of one part, so that what follows base64 is reached. */
function mutateParts(token: string): string {
  const parts = token.split('.');
  const at = Math.floor(random() * parts.length);
  const changed = [...base64url.decode(parts[at] ?? '')];
  const times = 1 + Math.floor(random() * 6);
  for (let index = 0; index < times; index++) {
    const place = Math.floor(random() * changed.length);
    const value =
      random() < 0.5 ? (changed[place] ?? 0) ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
    changed.splice(place, random() < 0.8 ? 1 : 0, ...(random() < 0.85 ? [value] : []));
  }
  return parts.with(at, base64url.encode(Uint8Array.from(changed))).join('.');
}

/** The beginning of one token and the end of another; parts of both where both have them. */
function splice(one: string, other: string): string {
  if (random() < 0.5) {
    const parts = other.split('.');
    return one
      .split('.')
      .map((part, index) => (random() < 0.5 ? part : (parts[index] ?? part)))
      .join('.');
  }
  return one.slice(0, Math.floor(random() * one.length)) + other.slice(Math.floor(random() * other.length));
}

/** The same right under another spelling (padding, tags) is no attack: it is counted apart. */
async function outcomeOf(token: string): Promise<string> {
  if (seeds.includes(token)) {
    return '(unchanged)';
  }
  try {
    const result = await verifier.verify(token, context);
    if (!result.ok) {
      return result.failure.reason;
    }
    return grants.has(JSON.stringify(result.value)) ? '(same right, respelled)' : 'ACCEPTED';
  } catch (error) {
    print(`${String(error)}: ${JSON.stringify(token)}`);
    return 'THROWN';
  }
}

function text(length: number): string {
  return Array.from({ length }, () => pick(CHARACTERS)).join('');
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

function pick<T>(list: readonly T[]): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) {
    throw new Error('picked from nothing');
  }
  return picked;
}

/** Mulberry32: the same numbers for the same seed, which the first line names. */
function generator(seed: number): () => number {
  print(`seed ${seed}`);
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
