/** Matches of `catu` and `cath` (CTA-5007-B §4.6.10). */

import { fail, ok, type Result } from '../../result.ts';

/** How a text has to look. */
export interface MatchRule {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex';
  readonly value: string;
}

/** Why something is no rule that Rill honours. */
type RuleFailure = { readonly reason: 'unsupported-match'; readonly detail: string };

/** Kinds by label. Hashes (-1, -2) are not honoured: a token that has one is refused. */
const KINDS: ReadonlyMap<unknown, MatchRule['kind']> = new Map([
  [0, 'exact'],
  [1, 'prefix'],
  [2, 'suffix'],
  [3, 'contains'],
  [4, 'regex'],
]);
/** Longest text and longest pattern that a regular expression works on, characters: both bound its time. */
const MAX_REGEX_SUBJECT = 512;
const MAX_REGEX_LENGTH = 256;
/** Repetitions without an end in one expression: each multiplies the time by the subject's length. */
const MAX_OPEN_REPETITIONS = 2;
/** Largest count in braces: each is unrolled. */
const MAX_COUNT = 64;

/** Reads the map of a component or header: its matches all have to hold. */
export function readMatchRules(value: unknown): Result<readonly MatchRule[], RuleFailure> {
  if (!(value instanceof Map) || value.size === 0) {
    return unsupported('not a map of matches');
  }
  const rules: MatchRule[] = [];
  for (const [label, wanted] of value) {
    const kind = KINDS.get(label);
    // A regular expression stands in an array (of one) as well as alone.
    const text: unknown =
      kind === 'regex' && Array.isArray(wanted) && wanted.length === 1 ? wanted[0] : wanted;
    if (kind === undefined || typeof text !== 'string') {
      return unsupported(`match ${String(label)}`);
    }
    if (kind === 'regex' && !isBoundedRegex(text)) {
      return unsupported('regular expression outside of what is evaluated');
    }
    rules.push({ kind, value: text });
  }
  return ok(rules);
}

/** Tells whether a text fits every rule. */
export function fitsEvery(rules: readonly MatchRule[], text: string): boolean {
  return rules.every((rule) => fits(rule, text));
}

function fits({ kind, value }: MatchRule, text: string): boolean {
  switch (kind) {
    case 'exact':
      return text === value;
    case 'prefix':
      return text.startsWith(value);
    case 'suffix':
      return text.endsWith(value);
    case 'contains':
      return text.includes(value);
    case 'regex':
      return text.length <= MAX_REGEX_SUBJECT && new RegExp(value, 'u').test(text);
  }
}

/**
 * Tells whether a text is a POSIX extended regular expression (IEEE 1003.1 §9.4) whose time is bounded here, where
 * expressions backtrack: no look-around, no reference back, no repeated group, few open repetitions.
 */
function isBoundedRegex(text: string): boolean {
  const plain = text.replaceAll(/\\[\\.*+?|()[\]{}^$/-]/g, 'x').replaceAll(/\[\^?\]?[^\]]*\]/g, 'x');
  const open = plain.match(/[*+]|\{[0-9]*,\}/g) ?? [];
  const counts = plain.match(/(?<=[{,])[0-9]+/g) ?? [];
  return (
    text.length <= MAX_REGEX_LENGTH &&
    !plain.includes('\\') &&
    !plain.includes('(?') &&
    !/\)[*+?{]/.test(plain) &&
    open.length <= MAX_OPEN_REPETITIONS &&
    counts.every((count) => Number(count) <= MAX_COUNT) &&
    compiles(text)
  );
}

function compiles(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function unsupported(detail: string): Result<never, RuleFailure> {
  return fail({ reason: 'unsupported-match', detail });
}
