/** `catif` (CTA-5007-B §4.9.1): what an issuer wants answered where one of its claims does not hold. */

import { fail, ok, type Result } from '../../result.ts';
import type { Denial } from '../denial.ts';
import type { CatLimits } from './cat-limits.ts';
import { CAT_LABELS } from './cat-labels.ts';

/** One answer, for one claim. */
export interface CatAction {
  readonly claim: number;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
}

/** Why a map is no `catif` that Rill honours. */
type ActionFailure = { readonly reason: 'unsupported-action'; readonly detail: string };

/** Statuses that say no: those of redirection and of the client's mistake. */
const STATUSES: ReadonlySet<unknown> = new Set([302, 303, 307, 308, 400, 401, 402, 403, 404, 410, 429, 451]);
/** Headers that an issuer may set: none that touches another answer, a cache or a cookie. */
const HEADERS: ReadonlySet<string> = new Set(['location', 'www-authenticate', 'retry-after']);
const MAX_ACTIONS = 16;
const MAX_HEADER_LENGTH = 1024;
/** Visible ASCII and space, so that no value ends its line. */
const HEADER_VALUE = /^[\x20-\x7E]+$/;

/** Reads the claim: a map from a claim's label to a status, headers and a key. */
export function readActions(value: unknown): Result<readonly CatAction[], ActionFailure> {
  if (!(value instanceof Map) || value.size > MAX_ACTIONS) {
    return unsupported('not a map of few actions');
  }
  const actions: CatAction[] = [];
  for (const [claim, action] of value) {
    const read = typeof claim === 'number' ? readAction(claim, action) : undefined;
    if (read === undefined) {
      return unsupported(`action of claim ${String(claim)}`);
    }
    actions.push(read);
  }
  return ok(actions);
}

function readAction(claim: number, value: unknown): CatAction | undefined {
  const fields: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [status, headers] = fields;
  if (typeof status !== 'number' || !STATUSES.has(status) || fields.length > 3) {
    return undefined;
  }
  const read = headers === undefined || headers === null ? [] : readHeaders(headers);
  return read === undefined ? undefined : { claim, status, headers: read };
}

/** A header whose value is an array asks for a new token in its place, which only an issuer makes. */
function readHeaders(value: unknown): CatAction['headers'] | undefined {
  if (!(value instanceof Map)) {
    return undefined;
  }
  const headers: (readonly [string, string])[] = [];
  for (const [name, text] of value) {
    const lower = typeof name === 'string' ? name.toLowerCase() : '';
    if (!HEADERS.has(lower) || typeof text !== 'string' || !isHeaderValue(lower, text)) {
      return undefined;
    }
    headers.push([lower, text]);
  }
  return headers;
}

function isHeaderValue(name: string, text: string): boolean {
  return (
    text.length <= MAX_HEADER_LENGTH &&
    HEADER_VALUE.test(text) &&
    (name !== 'location' || /^https?:\/\/[^\s/]/i.test(text))
  );
}

/** Finds the answer that a token asks for where it is denied; none for other tokens and other denials. */
export function actionFor(limits: CatLimits | undefined, denial: Denial): CatAction | undefined {
  const claim = claimOf(denial);
  return claim === undefined ? undefined : limits?.actions.find((action) => action.claim === claim);
}

function claimOf(denial: Denial): number | undefined {
  switch (denial.reason) {
    case 'token-expired':
      return CAT_LABELS.exp;
    case 'token-not-yet-valid':
      return CAT_LABELS.nbf;
    case 'other-request':
      return labelOf(denial.detail.split(' ')[0]);
    case 'location-blocked':
      return labelOf(denial.rule);
    default:
      return undefined;
  }
}

function labelOf(name: string | undefined): number | undefined {
  return Object.entries(CAT_LABELS).find(([label]) => label === name)?.[1];
}

function unsupported(detail: string): Result<never, ActionFailure> {
  return fail({ reason: 'unsupported-action', detail });
}
