import { expect, it } from 'vitest';
import { parseRegion, REGIONS, regionOf } from './region.ts';

it.each([
  [{ continent: 'NA', country: 'US', longitude: '-122.4' }, 'wnam'],
  [{ continent: 'NA', country: 'US', longitude: '-74.0' }, 'enam'],
  [{ continent: 'NA', country: 'MX' }, 'enam'],
  [{ continent: 'SA', country: 'BR' }, 'sam'],
  [{ continent: 'EU', country: 'DE', longitude: '13.4' }, 'weur'],
  [{ continent: 'EU', country: 'PL', longitude: '21.0' }, 'eeur'],
  [{ continent: 'AS', country: 'JP' }, 'apac'],
  [{ continent: 'AS', country: 'AE' }, 'me'],
  [{ continent: 'OC', country: 'NZ' }, 'oc'],
  [{ continent: 'AF', country: 'KE' }, 'afr'],
  [{ continent: 'AN', country: 'AQ' }, 'oc'],
  [{ continent: 'XX' }, undefined],
  [{ continent: 7, longitude: {} }, undefined],
  [undefined, undefined],
])('of a viewer at %j is %s', (place, region) => {
  expect(regionOf(place)).toBe(region);
});

it('is read back from its own name and from nothing else', () => {
  expect(REGIONS.map(parseRegion)).toEqual(REGIONS);
  expect([parseRegion('moon'), parseRegion(undefined), parseRegion(1)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
