/** Where a request came from, as the platform tells. */

import type { Place } from '../../shared/access/place.ts';
import type { Env } from '../env.ts';

/** Where the platform saw the request come from. */
export function placeOf(request: Request, _env: Env): Place {
  const text = (name: string): string | undefined => {
    const value: unknown = request.cf?.[name];
    return typeof value === 'string' ? value : undefined;
  };
  const asn: unknown = request.cf?.['asn'];
  const country = text('country');
  const region = text('regionCode');
  return {
    country,
    continent: text('continent'),
    region: country === undefined || region === undefined ? undefined : `${country}-${region}`,
    asn: typeof asn === 'number' ? asn : undefined,
    address: request.headers.get('cf-connecting-ip') ?? undefined,
  };
}
