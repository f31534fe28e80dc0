import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGrant } from './check-grant.ts';
import { readGrant } from './claims.ts';
import type { Place } from './place.ts';
import { fitsStreamPattern, isStreamPattern } from './stream-pattern.ts';
import { parseStreamName, type StreamName } from '../identifiers.ts';

const EXP = 2_000_000_000;
const PLACE: Place = { country: 'DE', continent: 'EU', region: 'DE-BY', asn: 64_500, address: '192.0.2.7' };

function use(
  claims: object,
  asked: { readonly stream?: string; readonly now?: number; readonly place?: Partial<Place> } = {},
): string {
  const grant = readGrant({ stream: 'show', exp: EXP, ...claims });
  if (!grant.ok) {
    return grant.failure.reason;
  }
  const { stream = 'show', now = EXP - 60, place = {} } = asked;
  const checked = checkGrant({
    grant: grant.value,
    stream: name(stream),
    place: { ...PLACE, ...place },
    now,
  });
  return checked.ok ? 'granted' : checked.failure.reason;
}

describe('claims', () => {
  it.each([
    [{ stream: undefined }, 'token-malformed'],
    [{ stream: undefined, streams: ['a', 'sh*'] }, 'granted'],
    [{ streams: ['other'] }, 'granted'],
    [{ stream: 'other' }, 'other-stream'],
    [{ stream: '*' }, 'granted'],
    [{ stream: 'SHOW' }, 'token-malformed'],
    [{ stream: 'ѕhow' }, 'token-malformed'],
    [{ stream: 'show\u0000' }, 'token-malformed'],
    [{ stream: ['show'] }, 'token-malformed'],
    [{ streams: [] }, 'token-malformed'],
    [{ stream: '*****' }, 'token-malformed'],
    [{ exp: undefined }, 'token-malformed'],
    [{ exp: '2000000000' }, 'token-malformed'],
    [{ exp: Number.POSITIVE_INFINITY }, 'token-malformed'],
    [{ exp: EXP * 1000 }, 'token-malformed'],
    [{ exp: -1 }, 'token-malformed'],
    [{ nbf: EXP }, 'token-not-yet-valid'],
    [{ iat: EXP }, 'token-not-yet-valid'],
    [{ scope: 'openid profile' }, 'scope-missing'],
    [{ scope: 'openid play' }, 'granted'],
    [{ scope: ['admin'] }, 'scope-missing'],
    [{ scope: 'admin', stream: undefined }, 'scope-missing'],
    [{ country: ['DE'] }, 'granted'],
    [{ country: ['FR'] }, 'location-blocked'],
    [{ country: 'DE' }, 'token-malformed'],
    [{ country: ['de'] }, 'token-malformed'],
    [{ region: ['DE-BY'] }, 'granted'],
    [{ region: ['DE-BE'] }, 'location-blocked'],
    [{ country: ['DE'], region: ['DE-BE'] }, 'location-blocked'],
    [{ asn: [64_500] }, 'granted'],
    [{ asn: [64_501] }, 'location-blocked'],
    [{ prefix: ['192.0.2.0/24'] }, 'granted'],
    [{ prefix: ['192.0.2.8/29'] }, 'location-blocked'],
    [{ prefix: ['192.0.2.0/33'] }, 'token-malformed'],
    [{ sessions: 2 }, 'token-malformed'],
    [{ sessions: 2, sub: 'v' }, 'granted'],
    [{ sessions: 0, sub: 'v' }, 'token-malformed'],
    [{ sessions: { limit: 1, loser: 'both' }, sub: 'v' }, 'token-malformed'],
    [{ maxHeight: 0 }, 'token-malformed'],
    [{ timeShift: -1 }, 'token-malformed'],
    [{ unknown: 'claim' }, 'granted'],
  ])('%j are %s', (claims, outcome) => {
    expect(use(claims)).toBe(outcome);
  });

  it('hold five seconds longer than they say, on either end', () => {
    expect([EXP + 4, EXP + 5].map((now) => use({}, { now }))).toEqual(['granted', 'token-expired']);
    expect([EXP - 65, EXP - 66].map((now) => use({ nbf: EXP - 60 }, { now }))).toEqual([
      'granted',
      'token-not-yet-valid',
    ]);
  });

  it('of a place do not hold where the place is not known', () => {
    const nowhere: Partial<Place> = {
      country: undefined,
      region: undefined,
      asn: undefined,
      address: undefined,
    };
    for (const claims of [
      { country: ['DE'] },
      { region: ['DE-BY'] },
      { asn: [64_500] },
      { prefix: ['0.0.0.0/0'] },
    ]) {
      expect(use(claims, { place: nowhere })).toBe('location-blocked');
    }
  });

  it('are a grant or a denial, whatever they are', () => {
    fc.assert(
      fc.property(fc.anything(), (claims) => {
        expect(typeof readGrant(claims).ok).toBe('boolean');
      }),
    );
  });
});

describe('stream patterns', () => {
  it('fit as if each * were any run of characters', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(pattern.filter(isStreamPattern), text, (form, name) => {
        const expected = new RegExp(`^${form.replaceAll('*', '.*')}$`).test(name);
        expect(fitsStreamPattern(form, name)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}
