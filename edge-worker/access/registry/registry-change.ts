/** Changes to what the registry holds, as a pure function over its state. */

import type { AccessSnapshot } from '../../../shared/access/access-snapshot.ts';
import { keySourceId, withoutSecret } from '../../../shared/access/key-schema.ts';
import type { KeySource } from '../../../shared/access/key-source.ts';
import type { AccessPolicies, StreamPolicy } from '../../../shared/access/policy.ts';
import { INITIAL_POLICIES } from '../../../shared/access/policy-schema.ts';
import type { Revocation } from '../../../shared/access/revocation.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';

/** Keys and lists of keys. */
const MAX_KEYS = 100;
/** Revocations in force: beyond it a key is compromised and has to be replaced. */
const MAX_REVOCATIONS = 10_000;
/**
 * Characters of a snapshot in JSON: each isolate keeps one, and reads it anew after a change. Ten thousand
 * revocations and as many prefixes fit.
 */
const MAX_SNAPSHOT_CHARACTERS = 2_000_000;

/** One change. */
export type RegistryChange =
  | { readonly kind: 'put-policies'; readonly policies: AccessPolicies }
  | { readonly kind: 'put-default-policy'; readonly policy: StreamPolicy }
  | { readonly kind: 'put-stream-policy'; readonly stream: string; readonly policy: StreamPolicy }
  | { readonly kind: 'delete-stream-policy'; readonly stream: string }
  | { readonly kind: 'put-key'; readonly key: KeySource }
  | { readonly kind: 'delete-key'; readonly id: string }
  | { readonly kind: 'revoke'; readonly revocation: Revocation }
  | { readonly kind: 'delete-revocation'; readonly what: Revocation['kind']; readonly id: string };

/** Why a change is not made. */
export type ChangeFailure =
  | { readonly reason: 'not-found' }
  | { readonly reason: 'too-many'; readonly limit: number; readonly of: 'keys' | 'revocations' }
  | { readonly reason: 'too-large'; readonly limit: number };

/** What a registry holds before anybody has changed it. */
export const INITIAL_STATE: AccessSnapshot = {
  version: 0,
  policies: INITIAL_POLICIES,
  keys: [],
  revocations: [],
};

/**
 * Makes a change at `now` (Unix seconds). Versions are times where they can be, so that a registry which had to
 * begin anew does not repeat those of the one before.
 */
export function applyChange(
  state: AccessSnapshot,
  change: RegistryChange,
  now: number,
): Result<AccessSnapshot, ChangeFailure> {
  const current = withoutExpired(state, now);
  const parts = changedParts(current, change);
  if (!parts.ok) {
    return parts;
  }
  const next = { ...current, ...parts.value, version: Math.max(state.version + 1, now) };
  return JSON.stringify(next).length > MAX_SNAPSHOT_CHARACTERS
    ? fail({ reason: 'too-large', limit: MAX_SNAPSHOT_CHARACTERS })
    : ok(next);
}

/** A state without the revocations that are over at `now` (Unix seconds); the same object where none is. */
export function withoutExpired(state: AccessSnapshot, now: number): AccessSnapshot {
  const revocations = state.revocations.filter(({ until }) => until > now);
  return revocations.length === state.revocations.length ? state : { ...state, revocations };
}

type Parts = Partial<Pick<AccessSnapshot, 'policies' | 'keys' | 'revocations'>>;

function changedParts(state: AccessSnapshot, change: RegistryChange): Result<Parts, ChangeFailure> {
  switch (change.kind) {
    case 'put-policies':
      return ok({ policies: change.policies });
    case 'put-default-policy':
      return ok({ policies: { ...state.policies, default: change.policy } });
    case 'put-stream-policy': {
      const streams = { ...state.policies.streams, [change.stream]: change.policy };
      return ok({ policies: { ...state.policies, streams } });
    }
    case 'delete-stream-policy':
      return withoutStream(state.policies, change.stream);
    case 'put-key':
      return bounded('keys', { keys: put(state.keys, change.key, keySourceId) });
    case 'delete-key': {
      const keys = state.keys.filter((key) => keySourceId(key) !== change.id);
      return keys.length === state.keys.length ? fail({ reason: 'not-found' }) : ok({ keys });
    }
    case 'revoke':
      return bounded('revocations', { revocations: revoke(state.revocations, change.revocation) });
    case 'delete-revocation': {
      const id = revocationId({ kind: change.what, id: change.id });
      const revocations = state.revocations.filter((each) => revocationId(each) !== id);
      return revocations.length === state.revocations.length
        ? fail({ reason: 'not-found' })
        : ok({ revocations });
    }
  }
}

function withoutStream(policies: AccessPolicies, stream: string): Result<Parts, ChangeFailure> {
  if (!Object.hasOwn(policies.streams, stream)) {
    return fail({ reason: 'not-found' });
  }
  const { [stream]: _deleted, ...streams } = policies.streams;
  return ok({ policies: { ...policies, streams } });
}

/** What a revocation is known by. */
export function revocationId({ kind, id }: Pick<Revocation, 'kind' | 'id'>): string {
  return `${kind}:${id}`;
}

/** Revoking again never shortens what was revoked before. */
function revoke(revocations: readonly Revocation[], revocation: Revocation): readonly Revocation[] {
  const before = revocations.find((each) => revocationId(each) === revocationId(revocation));
  const merged: Revocation =
    before === undefined
      ? revocation
      : {
          ...revocation,
          issuedUpTo: Math.max(before.issuedUpTo, revocation.issuedUpTo),
          until: Math.max(before.until, revocation.until),
        };
  return put(revocations, merged, revocationId);
}

function put<T>(list: readonly T[], item: T, idOf: (item: T) => string): readonly T[] {
  const id = idOf(item);
  return [...list.filter((each) => idOf(each) !== id), item];
}

function bounded(of: 'keys' | 'revocations', parts: Parts): Result<Parts, ChangeFailure> {
  const limit = of === 'keys' ? MAX_KEYS : MAX_REVOCATIONS;
  return (parts[of]?.length ?? 0) > limit ? fail({ reason: 'too-many', limit, of }) : ok(parts);
}

/** What the audit log tells of a change: what it was about, and what was put there, without secrets. */
export function describeChange(change: RegistryChange): {
  readonly target: string;
  readonly detail: unknown;
} {
  switch (change.kind) {
    case 'put-policies':
      return { target: 'all', detail: change.policies };
    case 'put-default-policy':
      return { target: 'default', detail: change.policy };
    case 'put-stream-policy':
      return { target: change.stream, detail: change.policy };
    case 'delete-stream-policy':
      return { target: change.stream, detail: undefined };
    case 'put-key':
      return { target: keySourceId(change.key), detail: withoutSecret(change.key) };
    case 'delete-key':
      return { target: change.id, detail: undefined };
    case 'revoke':
      return { target: revocationId(change.revocation), detail: change.revocation };
    case 'delete-revocation':
      return { target: revocationId({ kind: change.what, id: change.id }), detail: undefined };
  }
}
