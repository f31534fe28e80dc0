import { expect, test } from 'vitest';
import { readCmcd } from './record-delivery.ts';

const AT = 'https://edge.example/live/show/720p/index.m3u8';
const KEYS = 'bl=2100,br=3200,bs,mtp=48100,ot=v,pr=1.05,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",st=l,su';

test('reads CMCD of the query, and of the headers', () => {
  const inQuery = readCmcd(new Request(`${AT}?_HLS_msn=3&CMCD=${encodeURIComponent(KEYS)}`));
  expect(inQuery).toMatchObject({
    sid: '6e2fb550-c457-11e9-bb97-0800200c9a66',
    br: 3200,
    bl: 2100,
    bs: true,
    su: true,
    mtp: 48100,
    pr: 1.05,
  });
  const headers = {
    'CMCD-Request': 'bl=2100,mtp=48100,su',
    'CMCD-Object': 'br=3200,ot=v',
    'CMCD-Status': 'bs',
    'CMCD-Session': 'pr=1.05,sid="abc",st=l',
  };
  expect(readCmcd(new Request(AT, { headers }))).toMatchObject({ sid: 'abc', br: 3200, bs: true });
});

test('a request without CMCD has none', () => {
  expect(readCmcd(new Request(AT))).toBeUndefined();
});

test.each([
  ['wrong types', 'br="high",bl=?1,sid=7,bs=1'],
  ['a negative buffer', 'bl=-5'],
  ['no number at all', 'br=1e400'],
])('takes nothing of %s', (_, keys) => {
  const read = readCmcd(new Request(`${AT}?CMCD=${encodeURIComponent(keys)}`));
  expect(Object.values(read ?? {}).filter((value) => value !== undefined)).toEqual([]);
});

test.each([['=,,,'], ['sid=;;'], ['bl=(1 2'], ['x'.repeat(5_000)], ['\u0000']])(
  'is not bothered by %j',
  (keys) => {
    const read = readCmcd(new Request(`${AT}?CMCD=${encodeURIComponent(keys)}`));
    expect(Object.values(read ?? {}).filter((value) => value !== undefined)).toEqual([]);
  },
);
