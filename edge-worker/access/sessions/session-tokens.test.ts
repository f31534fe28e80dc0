import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSessionToken, newSessionId, SessionTokens, type SessionGrant } from './session-tokens.ts';

const SECRET = 'a secret of sessions that is long enough';
const GRANT: SessionGrant = {
  tokenId: 't',
  issuer: 'https://issuer.example',
  viewer: 'vïewer',
  scopes: ['play'],
  streams: ['show', 'match-*'],
  notBefore: 1,
  issuedAt: 2,
  expires: 3,
  area: { countries: ['DE'], regions: ['DE-BY'], asns: [3_320], prefixes: ['2001:db8::/32'] },
  maxHeight: 720,
  maxBitrate: 5_000_000,
  sessions: { limit: 2, loser: 'oldest' },
  timeShift: 0,
  session: 'abc',
  sessionStarted: 1_000,
};

describe('a session token', () => {
  it('grants what it was issued for, in another isolate too', async () => {
    const token = await new SessionTokens(SECRET).issue(GRANT);
    expect(isSessionToken(token)).toBe(true);
    expect(await new SessionTokens(SECRET).verify(token)).toEqual({ ok: true, value: GRANT });
  });

  it('may play and nothing else', async () => {
    const tokens = new SessionTokens(SECRET);
    const token = await tokens.issue({ ...GRANT, scopes: ['admin', 'play', 'publish'] });
    for (const reader of [tokens, new SessionTokens(SECRET)]) {
      expect(await reader.verify(token)).toMatchObject({ value: { scopes: ['play'] } });
    }
  });

  it('is forged under every other secret', async () => {
    const token = await new SessionTokens(SECRET).issue(GRANT);
    expect(await new SessionTokens(`${SECRET}!`).verify(token)).toMatchObject({
      failure: { reason: 'token-forged' },
    });
  });

  it('is refused with any character changed, left out or added', async () => {
    const token = await new SessionTokens(SECRET).issue(GRANT);
    const tokens = new SessionTokens(SECRET);
    const change = fc.record({
      at: fc.nat({ max: token.length - 1 }),
      by: fc.constantFrom('', 'A', '_', '.', '%', 'é', 'AA'),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, by }) => {
        const changed = token.slice(0, at) + by + token.slice(at + 1);
        // Of the last character two bits say nothing (RFC 4648 §3.5).
        fc.pre(changed.slice(0, -1) !== token.slice(0, -1) || changed.length !== token.length);
        expect(await tokens.verify(changed)).toMatchObject({ ok: false });
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    '',
    's1.',
    's1..',
    's1.e30',
    `s1.e30.${'A'.repeat(43)}`,
    `s1.${'A'.repeat(9_000)}.${'A'.repeat(43)}`,
  ])('is not %s', async (text) => {
    expect(await new SessionTokens(SECRET).verify(text)).toMatchObject({ ok: false });
  });

  it('names a session that nobody guesses', () => {
    expect(newSessionId()).toMatch(/^[\w-]{16}$/);
    expect(newSessionId()).not.toBe(newSessionId());
  });
});
