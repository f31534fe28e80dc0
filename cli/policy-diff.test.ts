import { expect, test } from 'vitest';
import type { AccessPolicies, PolicyRule, StreamPolicy } from '#shared/access/policy.ts';
import { diffPolicies } from './policy-diff.ts';

const germany: PolicyRule = { id: 'licence', effect: 'allow', match: { countries: ['DE'] } };
const blackout: PolicyRule = { id: 'blackout', effect: 'deny', match: {}, from: 1, until: 2 };

function policies(
  streams: Record<string, StreamPolicy>,
  standard: Partial<StreamPolicy> = {},
): AccessPolicies {
  return { default: { access: 'token', rules: [], ...standard }, streams };
}

test('says nothing of the same policies, whatever the order of their rules', () => {
  const before = policies({ news: { access: 'token', rules: [germany, blackout] } });
  const after = policies({ news: { access: 'token', rules: [{ ...blackout, note: undefined }, germany] } });
  expect(diffPolicies(before, after)).toEqual([]);
});

test('names what is added, removed and changed, rule by rule', () => {
  const before = policies({
    gone: { access: 'public', rules: [germany] },
    news: { access: 'token', rules: [germany, blackout] },
  });
  const after = policies(
    { news: { access: 'token', rules: [{ ...germany, match: { countries: ['DE', 'AT'] } }] } },
    { unknownLocation: 'deny' },
  );
  expect(diffPolicies(before, after)).toEqual([
    '~ default: token → token, unknown location: deny',
    '- streams.gone: public',
    '- streams.gone licence: allow {"match":{"countries":["DE"]}}',
    '- streams.news blackout: deny {"match":{},"from":1,"until":2}',
    '- streams.news licence: allow {"match":{"countries":["DE"]}}',
    '+ streams.news licence: allow {"match":{"countries":["DE","AT"]}}',
  ]);
});

test('sees a stream that is named like a property of every object', () => {
  const open: StreamPolicy = { access: 'public', rules: [] };
  const after = policies({ constructor: open });
  expect(diffPolicies(policies({}), after)).toEqual(['+ streams.constructor: public']);
});
