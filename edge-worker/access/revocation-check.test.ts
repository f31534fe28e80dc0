import { describe, expect, it } from 'vitest';
import type { Revocation } from '../../shared/access/revocation.ts';
import { findRevocation } from './revocation-check.ts';

const NOW = 1_000;
const GRANT = { tokenId: 't', session: 's', viewer: 'v', issuedAt: 500 };

function revoke(kind: Revocation['kind'], id: string, times: Partial<Revocation> = {}): Revocation {
  return { kind, id, issuedUpTo: 500, until: 2_000, ...times };
}

describe('a revocation', () => {
  it.each([
    ['token', 't'],
    ['session', 's'],
    ['viewer', 'v'],
  ] as const)('of the %s denies what it names', (kind, id) => {
    expect(findRevocation(GRANT, [revoke(kind, id)], NOW)).toEqual({ reason: 'revoked', what: kind });
    expect(findRevocation(GRANT, [revoke(kind, 'other')], NOW)).toBeUndefined();
  });

  it('is of one kind alone, be the ids alike', () => {
    const grant = { tokenId: 'x', session: undefined, viewer: undefined, issuedAt: 1 };
    expect(findRevocation(grant, [revoke('viewer', 'x'), revoke('session', 'x')], NOW)).toBeUndefined();
  });

  it('lets a token pass that was issued later, not one of the same second', () => {
    const of = (issuedAt: number): unknown =>
      findRevocation({ ...GRANT, issuedAt }, [revoke('viewer', 'v')], NOW);
    expect(of(500)).toBeDefined();
    expect(of(500.5)).toBeUndefined();
    expect(of(501)).toBeUndefined();
  });

  it('holds for a token that does not say when it was issued', () => {
    expect(findRevocation({ ...GRANT, issuedAt: undefined }, [revoke('viewer', 'v')], NOW)).toBeDefined();
    expect(findRevocation({ ...GRANT, issuedAt: Number.NaN }, [revoke('viewer', 'v')], NOW)).toBeDefined();
  });

  it('is over when its time is', () => {
    const list = [revoke('token', 't', { until: NOW + 1 })];
    expect(findRevocation(GRANT, list, NOW)).toBeDefined();
    expect(findRevocation(GRANT, list, NOW + 1)).toBeUndefined();
  });

  it('counts with the widest bounds where several name one id', () => {
    const list = [
      revoke('token', 't', { issuedUpTo: 600, until: 900 }),
      revoke('token', 't', { issuedUpTo: 100, until: 1_500 }),
    ];
    expect(findRevocation(GRANT, list, NOW)).toBeDefined();
  });

  it('names nobody who is not named', () => {
    const grant = { tokenId: undefined, session: undefined, viewer: undefined };
    expect(findRevocation(grant, [revoke('viewer', 'undefined'), revoke('token', '')], NOW)).toBeUndefined();
    expect(findRevocation(GRANT, [], NOW)).toBeUndefined();
  });
});
