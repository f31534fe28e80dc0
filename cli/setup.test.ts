import { expect, test } from 'vitest';
import { missingPackages, stripsTypes } from './setup.mjs';

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/other-platform': { version: '3.0.0', optional: true },
  },
};

test('finds every package missing where nothing is installed', () => {
  expect(missingPackages(lock, {})).toEqual(['node_modules/a', 'node_modules/a/node_modules/b']);
});

test('finds nothing missing although an optional package of another platform is', () => {
  const installed = {
    packages: {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
    },
  };
  expect(missingPackages(lock, installed)).toEqual([]);
});

test('finds a package missing that is installed in another version', () => {
  const installed = {
    packages: {
      'node_modules/a': { version: '1.0.1' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
    },
  };
  expect(missingPackages(lock, installed)).toEqual(['node_modules/a']);
});

test.each([
  ['v20.20.2', false],
  ['v22.12.0', false],
  ['v22.18.0', true],
  ['v23.5.0', false],
  ['v23.6.0', true],
  ['v24.0.0', true],
])('knows whether Node %s runs TypeScript: %s', (version, expected) => {
  expect(stripsTypes(version)).toBe(expected);
});
