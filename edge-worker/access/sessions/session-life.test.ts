import { describe, expect, it } from 'vitest';
import type { Grant } from '../../../shared/access/grant.ts';
import { decideSession } from './session-life.ts';

const NOW = 10_000;
const LIFE = { token: 1_000, longest: 5_000 };

function grant(fields: Partial<Grant> = {}): Grant {
  return {
    tokenId: undefined,
    issuer: undefined,
    viewer: 'v',
    scopes: ['play'],
    streams: ['show'],
    notBefore: undefined,
    expires: NOW + 5,
    area: { countries: undefined, regions: undefined, asns: undefined, prefixes: undefined },
    maxHeight: undefined,
    maxBitrate: undefined,
    sessions: undefined,
    timeShift: undefined,
    session: undefined,
    ...fields,
  };
}

describe('a token', () => {
  it('that ends soon starts a session which outlives it', () => {
    expect(decideSession(grant(), LIFE, NOW)).toEqual({ kind: 'start', expires: NOW + 1_000 });
  });

  it('that outlives a session starts none', () => {
    expect(decideSession(grant({ expires: NOW + 1_000 }), LIFE, NOW)).toEqual({ kind: 'none' });
  });

  it('starts none where sessions end with their token', () => {
    expect(decideSession(grant(), { token: 0, longest: 5_000 }, NOW)).toEqual({ kind: 'none' });
  });

  it('whose sessions are counted always starts one, no longer than the longest', () => {
    const counted = { sessions: { limit: 1, loser: 'newest' } } as const;
    const start = (expires: number, token = 1_000): unknown =>
      decideSession(grant({ ...counted, expires }), { token, longest: 5_000 }, NOW);
    expect(start(NOW + 5)).toEqual({ kind: 'start', expires: NOW + 1_000 });
    expect(start(NOW + 3_000)).toEqual({ kind: 'start', expires: NOW + 3_000 });
    expect(start(NOW + 30_000)).toEqual({ kind: 'start', expires: NOW + 5_000 });
    expect(start(NOW + 5, 0)).toEqual({ kind: 'start', expires: NOW + 5 });
  });
});

describe("a session's token", () => {
  const session = (started: number, expires: number): Grant =>
    grant({ session: 's', sessionStarted: started * 1000, expires });

  it('is renewed once half of its life is over', () => {
    expect(decideSession(session(NOW, NOW + 1_000), LIFE, NOW + 500)).toEqual({ kind: 'none' });
    expect(decideSession(session(NOW, NOW + 1_000), LIFE, NOW + 501)).toEqual({
      kind: 'renew',
      expires: NOW + 1_501,
    });
  });

  it('is never renewed beyond the longest session', () => {
    expect(decideSession(session(NOW, NOW + 4_800), LIFE, NOW + 4_500)).toEqual({
      kind: 'renew',
      expires: NOW + 5_000,
    });
    expect(decideSession(session(NOW, NOW + 5_000), LIFE, NOW + 4_900)).toEqual({ kind: 'none' });
  });

  it('is not renewed where sessions end with their token', () => {
    expect(decideSession(session(NOW, NOW + 5), { token: 0, longest: 5_000 }, NOW + 4)).toEqual({
      kind: 'none',
    });
  });
});
