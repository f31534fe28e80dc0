import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readAddress, type Address } from './address.ts';

const PARTS = ['href', 'protocol', 'hostname', 'port', 'pathname', 'search'] as const;

function partsOf(address: Address): readonly string[] {
  return [...PARTS.map((part) => address[part]), address.searchParams.toString()];
}

it.each([
  'https://edge.example/t/eyJh.eyJ_-.x-Y/live/show/360p/index.m3u8?_HLS_msn=9&_HLS_part=3',
  'http://127.0.0.1:8080/live/show/index.m3u8',
  'https://edge.example/live/../live/show/index.m3u8',
  'https://edge.example/t/../live/show/index.m3u8',
  'https://edge.example/t/%2e%2e/live/show/index.m3u8',
  'https://edge.example/t/a/./live/show/index.m3u8',
  'https://edge.example/live//show/index.m3u8',
  String.raw`https://edge.example/live\show\index.m3u8`,
  'https://edge.example/live/show/index.m3u8?',
  'https://edge.example/live/show/index.m3u8?token=a+b%20c&token=d',
])('%s is read as a URL reads it', (href) => {
  expect(partsOf(readAddress(href)).slice(1)).toEqual(partsOf(new URL(href)).slice(1));
});

it('any path and query are read as a URL reads them', () => {
  const text = fc.stringMatching(/^[a-zA-Z0-9_.~%=&?/\\+ -]{0,40}$/);
  fc.assert(
    fc.property(text, (rest) => {
      const href = `https://edge.example/${rest}`;
      expect(partsOf(readAddress(href)).slice(1)).toEqual(partsOf(new URL(href)).slice(1));
    }),
  );
});
