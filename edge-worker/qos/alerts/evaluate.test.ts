import { expect, test } from 'vitest';
import fc from 'fast-check';
import { MAX_SERIES, evaluateRule, seriesKey, type AlertChange, type AlertState } from './evaluate.ts';
import { readingsOf, ruleStatement } from './readings.ts';
import { readAlertConfiguration, type AlertRule } from './rules.ts';
import { readOnlyStatement } from '../sql/read-only.ts';

const RULE: AlertRule = {
  ...{ name: 'rule', metric: 'rebuffering_ratio', direction: 'above', threshold: 10, clear: 5 },
  ...{ for: 60, window: 300, by: ['asn'], least: 1 },
};
const SERIES = ['3320'];

/** Runs values of one series, `undefined` where none is measured, 30 seconds apart; tells each evaluation's outcome. */
function run(values: readonly (number | undefined)[], rule: AlertRule = RULE): readonly string[] {
  let states: ReadonlyMap<string, AlertState> = new Map();
  return values.map((value, index) => {
    const readings = value === undefined ? [] : [{ series: SERIES, value }];
    const next = evaluateRule(rule, states, readings, index * 30);
    states = next.states;
    const state = states.get(seriesKey(SERIES));
    const kind = state?.clearSince === undefined ? state?.kind : 'clearing';
    return [kind ?? 'ok', ...next.changes.map((change) => `!${change.kind}`)].join(' ');
  });
}

test.each<readonly [string, readonly (number | undefined)[], readonly string[]]>([
  ['a value at the threshold is not beyond it', [10], ['ok']],
  ['beyond it for less than "for" is no alert', [11, 12, 9], ['pending', 'pending', 'ok']],
  [
    'beyond it for as long is one, told once',
    [11, 12, 13, 14],
    ['pending', 'pending', 'firing !firing', 'firing'],
  ],
  [
    'a value that is not measured breaks the time',
    [11, 11, undefined, 11],
    ['pending', 'pending', 'ok', 'pending'],
  ],
  [
    'between "clear" and the threshold an alert stays',
    [11, 11, 11, 8, 6, 8],
    ['pending', 'pending', 'firing !firing', 'firing', 'firing', 'firing'],
  ],
  [
    'at "clear" for as long as "for" it ends, told once',
    [11, 11, 11, 5, 4, 3, 2],
    ['pending', 'pending', 'firing !firing', 'clearing', 'clearing', 'ok !resolved', 'ok'],
  ],
  [
    'back beyond "clear" before that, the time begins anew',
    [11, 11, 11, 5, 6, 5, 5, 5],
    ['pending', 'pending', 'firing !firing', 'clearing', 'firing', 'clearing', 'clearing', 'ok !resolved'],
  ],
  [
    'an alert whose series is no longer measured ends as if it were clear',
    [11, 11, 11, undefined, undefined, undefined],
    ['pending', 'pending', 'firing !firing', 'clearing', 'clearing', 'ok !resolved'],
  ],
])('%s', (_, values, outcomes) => {
  expect(run(values)).toEqual(outcomes);
});

test('with "for" of nothing the first value begins and ends an alert', () => {
  expect(run([11, 6, 5], { ...RULE, for: 0 })).toEqual(['firing !firing', 'firing', 'ok !resolved']);
});

test('below is the mirror of above', () => {
  const rule: AlertRule = { ...RULE, direction: 'below', threshold: 10, clear: 15, for: 0 };
  expect(run([10, 9, 12, 15], rule)).toEqual(['ok', 'firing !firing', 'firing', 'ok !resolved']);
});

test('series stand for themselves, and beyond the bound new ones are left out', () => {
  const readings = Array.from({ length: MAX_SERIES + 5 }, (_, n) => ({ series: [String(n)], value: 11 }));
  const { states, changes } = evaluateRule({ ...RULE, for: 0 }, new Map(), readings, 0);
  expect([states.size, changes.length]).toEqual([MAX_SERIES, MAX_SERIES]);
});

test('whatever is measured, a series begins before it ends and never begins or ends twice in a row', () => {
  const value = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), fc.integer({ min: 0, max: 120 }), (values, wait) => {
      let states: ReadonlyMap<string, AlertState> = new Map();
      const told: AlertChange['kind'][] = [];
      for (const [index, one] of values.entries()) {
        const readings = one === undefined ? [] : [{ series: SERIES, value: one }];
        const next = evaluateRule({ ...RULE, for: wait }, states, readings, index * 30);
        told.push(...next.changes.map(({ kind }) => kind));
        states = next.states;
        expect(states.get(seriesKey(SERIES))?.kind === 'firing').toBe(told.at(-1) === 'firing');
      }
      expect(told.every((kind, index) => kind === (index % 2 === 0 ? 'firing' : 'resolved'))).toBe(true);
    }),
  );
});

test('where less than "least" was measured there is no value; a count that is gone is 0', () => {
  const rows = [
    { asn: '1', rebuffering_ratio: 0.5, watched_ms: '2000' },
    { asn: '2', rebuffering_ratio: 0.5, watched_ms: 900 },
    { asn: '3', rebuffering_ratio: null, watched_ms: 0 },
  ];
  const known: AlertState = { kind: 'firing', series: ['9'], since: 0, value: 1 };
  expect(readingsOf({ ...RULE, least: 1_000 }, rows, [known])).toEqual([{ series: ['1'], value: 0.5 }]);
  const counted = readingsOf(
    { ...RULE, metric: 'concurrent', by: ['stream'] },
    [{ stream: 'a', concurrent: 3 }],
    [known],
  );
  expect(counted).toEqual([
    { series: ['a'], value: 3 },
    { series: ['9'], value: 0 },
  ]);
});

test('a configuration is read with its defaults, and each metric has a statement', () => {
  const read = readAlertConfiguration(
    JSON.stringify({
      webhook: 'https://hooks.example/rill',
      rules: [
        { name: 'stalls', metric: 'rebuffering_ratio', above: 0.02, for: '2m', window: '10m', by: ['asn'] },
        { name: 'empty', metric: 'concurrent', below: 4, stream: 'show' },
      ],
    }),
  );
  const rules = read.ok ? read.value.rules : [];
  expect(rules).toEqual([
    {
      ...{ name: 'stalls', metric: 'rebuffering_ratio', direction: 'above', threshold: 0.02, clear: 0.016 },
      ...{ for: 120, window: 600, by: ['asn'], least: 1 },
    },
    {
      ...{ name: 'empty', metric: 'concurrent', direction: 'below', threshold: 4, clear: 5 },
      ...{ for: 0, window: 300, by: [], stream: 'show', least: 1 },
    },
  ]);
  for (const rule of rules) {
    expect(readOnlyStatement(ruleStatement(rule, 1_800_000_000).sql).ok).toBe(true);
  }
});

test.each([
  ['no JSON', 'rules'],
  ['a webhook of another scheme', { webhook: 'file:///etc/passwd', rules: [] }],
  ['an unknown metric', { name: 'a', metric: 'mood', above: 1 }],
  ['an inherited name for a metric', { name: 'a', metric: 'constructor', above: 1 }],
  ['neither above nor below', { name: 'a', metric: 'errors' }],
  ['both', { name: 'a', metric: 'errors', above: 1, below: 1 }],
  ['"clear" on the bad side', { name: 'a', metric: 'errors', above: 1, clear: 2 }],
  ['"clear" on the bad side, below', { name: 'a', metric: 'errors', below: 1, clear: 0 }],
  ['a duration without a unit', { name: 'a', metric: 'errors', above: 1, for: '60' }],
  ['a window of two days', { name: 'a', metric: 'errors', above: 1, window: '2d' }],
  ['a window of nothing', { name: 'a', metric: 'errors', above: 1, window: '0s' }],
  ['an unknown dimension', { name: 'a', metric: 'errors', above: 1, by: ['viewer'] }],
  ['three dimensions', { name: 'a', metric: 'errors', above: 1, by: ['asn', 'colo', 'os'] }],
  ['a hostile stream', { name: 'a', metric: 'errors', above: 1, stream: "x' OR 1" }],
  ['an unknown key', { name: 'a', metric: 'errors', above: 1, foo: 1 }],
  ['a name in capitals', { name: 'A', metric: 'errors', above: 1 }],
])('%s is a mistake', (_, given) => {
  const isRule = typeof given === 'object' && 'metric' in given;
  const configuration = isRule ? { webhook: 'https://hooks.example/', rules: [given] } : given;
  const text = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
  expect(readAlertConfiguration(text)).toMatchObject({ ok: false, failure: { reason: 'alerts-invalid' } });
});

test('two rules of one name are a mistake', () => {
  const rule = { name: 'a', metric: 'errors', above: 1 };
  expect(
    readAlertConfiguration(JSON.stringify({ webhook: 'https://a.example', rules: [rule, rule] })).ok,
  ).toBe(false);
});
