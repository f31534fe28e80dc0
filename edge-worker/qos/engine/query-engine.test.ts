import { expect, it } from 'vitest';
import { fromDataset } from './query-engine.ts';

it.each([
  [
    'SELECT count() FROM rill_qos WHERE index1 = 1',
    undefined,
    'SELECT count() FROM rill_qos WHERE index1 = 1',
  ],
  [
    'SELECT count()\nfrom  rill_qos\nLIMIT 1',
    'rill_qos_staging',
    'SELECT count()\nFROM rill_qos_staging\nLIMIT 1',
  ],
  ['SELECT blob1 FROM rill_qos', 'a; DROP', 'SELECT blob1 FROM rill_qos'],
])('asks the data set that the environment names', (statement, dataset, asked) => {
  expect(fromDataset(statement, dataset)).toBe(asked);
});
