import { describe, expect, it } from 'vitest';
import type { Revocation } from '../../../shared/access/revocation.ts';
import { applyChange, INITIAL_STATE, type RegistryChange } from './registry-change.ts';

const NOW = 1_800_000_000;

function after(...changes: readonly RegistryChange[]): typeof INITIAL_STATE {
  return changes.reduce((state, change) => {
    const next = applyChange(state, change, NOW);
    return next.ok ? next.value : state;
  }, INITIAL_STATE);
}

function revocation(changes: Partial<Revocation> = {}): RegistryChange {
  return {
    kind: 'revoke',
    revocation: { kind: 'viewer', id: 'eve', issuedUpTo: NOW, until: NOW + 100, ...changes },
  };
}

describe('a version', () => {
  it('is a time, and rises with each change even within a second', () => {
    const policy = INITIAL_STATE.policies.default;
    const once = after({ kind: 'put-default-policy', policy });
    expect(once.version).toBe(NOW);
    expect(applyChange(once, { kind: 'put-default-policy', policy }, NOW - 50)).toMatchObject({
      value: { version: NOW + 1 },
    });
  });
});

describe('a revocation', () => {
  it('made again is never shortened', () => {
    const { revocations } = after(revocation(), revocation({ issuedUpTo: NOW - 10, until: NOW + 50 }));
    expect(revocations).toEqual([{ kind: 'viewer', id: 'eve', issuedUpTo: NOW, until: NOW + 100 }]);
  });

  it('goes with the next change once its time is over', () => {
    const revoked = after(revocation());
    const next = applyChange(revoked, revocation({ id: 'mallory', until: NOW + 900 }), NOW + 100);
    expect(next).toMatchObject({ value: { revocations: [{ id: 'mallory' }] } });
  });

  it('is refused beyond ten thousand', () => {
    const revocations = Array.from({ length: 10_000 }, (_, index) => ({
      kind: 'token' as const,
      id: `t${index}`,
      issuedUpTo: NOW,
      until: NOW + 100,
    }));
    const full = { ...INITIAL_STATE, revocations };
    expect(applyChange(full, revocation(), NOW)).toMatchObject({ failure: { reason: 'too-many' } });
    expect(applyChange(full, revocation({ kind: 'token', id: 't5' }), NOW).ok).toBe(true);
  });
});

it('keeps a snapshot within its size', () => {
  const note = 'x'.repeat(500);
  const rules = Array.from({ length: 200 }, (_, index) => ({
    id: `r${index}`,
    effect: 'deny' as const,
    match: {},
    note,
  }));
  const streams = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`s${index}`, { access: 'token' as const, rules }]),
  );
  const policies = { ...INITIAL_STATE.policies, streams };
  expect(applyChange(INITIAL_STATE, { kind: 'put-policies', policies }, NOW)).toMatchObject({
    failure: { reason: 'too-large' },
  });
});
