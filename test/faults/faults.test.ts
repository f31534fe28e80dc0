import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFaultyRill, type FaultyRill } from '../support/faulty-rill.ts';
import { closeAccounts, endure, runScenario, SCENARIOS } from './scenarios.ts';

/** Beside what a fault itself takes: a busy machine's own pauses, since everything plays in real time. */
const PAUSES_SECONDS = 30;

let rill: FaultyRill;

beforeAll(async () => {
  rill = await startFaultyRill();
});
afterAll(async () => {
  await rill?.stop();
});

for (const scenario of SCENARIOS.filter(({ environment }) => environment === undefined)) {
  test(`playback goes on after: ${scenario.title}`, async () => {
    const { interruption, dropped, skipped } = await endure(rill, scenario, 'test');
    expect({ dropped, skipped }).toEqual({ dropped: 0, skipped: 0 });
    expect(interruption).toBeLessThan(scenario.seconds.test + PAUSES_SECONDS);
  });
}

test('after all these faults everything that was announced is in object storage, byte for byte', async () => {
  const { announced, lost } = await closeAccounts(rill);
  expect(lost).toEqual([]);
  expect(announced).toBeGreaterThan(100);
});

test('the operator is told of each', () => {
  for (const line of [
    'cannot reach',
    'refused the credentials (403 Injected403)',
    'objects are kept and uploaded later',
    'object storage takes objects again',
    'updates are kept and sent again',
    'the encoding run ended and is started again',
    'gave no output for',
    'uploading objects of an earlier run',
  ]) {
    expect(rill.logged(line), line).toBeGreaterThan(0);
  }
});

for (const scenario of SCENARIOS.filter(({ environment }) => environment !== undefined)) {
  test(`nothing is lost, in an instance of its own: ${scenario.title}`, async () => {
    const { lost, dropped, skipped, announced } = await runScenario(scenario, 'test');
    expect({ lost, dropped, skipped }).toEqual({ lost: [], dropped: 0, skipped: 0 });
    expect(announced).toBeGreaterThan(20);
  });
}
