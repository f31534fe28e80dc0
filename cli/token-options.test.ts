import { Command } from 'commander';
import { expect, test } from 'vitest';
import { seconds } from '#shared/media-time.ts';
import { readGrant } from '#shared/access/claims.ts';
import { playClaims, type PlayTokenRequest } from './play-token.ts';
import { addTokenOptions, readTokenRequest } from './token-options.ts';

const NOW = 1_800_000_000;

function read(...words: readonly string[]): PlayTokenRequest {
  const command = addTokenOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  const given: unknown = command.parse(words, { from: 'user' }).opts();
  const request = readTokenRequest({ ...(given as object), ttl: seconds(60) }, NOW);
  if (!request.ok) {
    throw new Error(request.failure.detail);
  }
  return request.value;
}

test('each option becomes the limit that it names', () => {
  const request = read(
    ...['--stream', 'sports-*', '--viewer', 'v', '--id', 't1', '--scope', 'play', 'analytics'],
    ...['--country', 'de,FR', '--region', 'de-by', '--asn', 'AS64500,64501', '--prefix', '192.0.2.0/24'],
    ...[
      '--max-height',
      '720',
      '--max-bitrate',
      '3000000',
      '--sessions',
      '2',
      '--loser',
      'newest',
      '--time-shift',
      '0',
    ],
  );
  expect(readGrant(playClaims(request))).toMatchObject({
    ok: true,
    value: {
      streams: ['sports-*'],
      viewer: 'v',
      tokenId: 't1',
      scopes: ['play', 'analytics'],
      area: {
        countries: ['DE', 'FR'],
        regions: ['DE-BY'],
        asns: [64_500, 64_501],
        prefixes: ['192.0.2.0/24'],
      },
      maxHeight: 720,
      maxBitrate: 3_000_000,
      sessions: { limit: 2, loser: 'newest' },
      timeShift: 0,
    },
  });
});

test('an administrator’s token is for no stream', () => {
  expect(readGrant(playClaims(read('--scope', 'admin')))).toMatchObject({
    ok: true,
    value: { scopes: ['admin'] },
  });
});

test.each([
  [],
  ['--scope', 'publish'],
  ['--stream', 'Show'],
  ['--stream', 'show', '--sessions', '2'],
  ['--stream', 'show', '--viewer', 'v', '--sessions', '0'],
  ['--stream', 'show', '--country', 'Germany'],
  ['--stream', 'show', '--region', 'BY'],
  ['--stream', 'show', '--asn', '4294967296'],
  ['--stream', 'show', '--prefix', '192.0.2.0/33'],
  ['--stream', 'show', '--scope', 'everything'],
  ['--stream', 'show', '--loser', 'both'],
  ['--stream', 'show', '--time-shift', 'long'],
])('%j %j %j %j is refused', (...words) => {
  expect(() => read(...words)).toThrow();
});
