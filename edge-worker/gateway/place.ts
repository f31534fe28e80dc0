/** Where a request came from, as far as somebody says who can be believed. */

import { readAddressText } from '../../shared/access/ip-address.ts';
import type { Place } from '../../shared/access/place.ts';
import type { TrustedHeaders } from '../../shared/access/trusted-headers.ts';
import type { Env } from '../env.ts';

/** What Cloudflare's network sets on each request, over whatever the client sent. */
const PLATFORM_ADDRESS_HEADER = 'cf-connecting-ip';

const COUNTRY = /^[a-z]{2}$/i;
/** Cloudflare's word for a country that it does not know. */
const UNKNOWN_COUNTRY = 'XX';
const CONTINENT = /^(?:AF|AN|AS|EU|NA|OC|SA)$/i;
/** The part of an ISO 3166-2 code behind the country. */
const SUBDIVISION = /^[a-z0-9]{1,3}$/i;
const ASN = /^(?:AS)?([1-9][0-9]{0,9})$/i;
const LARGEST_ASN = 0xffff_ffff;

/** Where a request came from, in the words of whoever tells. */
interface Told {
  readonly country: unknown;
  readonly continent: unknown;
  readonly region: unknown;
  readonly asn: unknown;
}

/**
 * Where a request came from: on Cloudflare as the platform says; on a self-hosted edge (`RILL_TRUSTED_HEADERS` is set,
 * be it empty) as the headers say that its own proxy vouches for, and without such headers as the host's `request.cf`.
 * What is not of the right form is as good as not told.
 */
export function placeOf(request: Request, env: Pick<Env, 'RILL_TRUSTED_HEADERS'>): Place {
  const trusted = env.RILL_TRUSTED_HEADERS;
  const told =
    trusted === undefined || !tellsPlace(trusted) ? toldByPlatform(request) : toldByHeaders(request, trusted);
  const country = readCode(told.country, COUNTRY);
  return {
    country: country === UNKNOWN_COUNTRY ? undefined : country,
    continent: readCode(told.continent, CONTINENT),
    region: readRegion(told.region, country),
    asn: readAsn(told.asn),
    address: trusted === undefined ? platformAddress(request) : trustedAddress(request, trusted),
  };
}

function toldByPlatform({ cf }: Request): Told {
  return {
    country: cf?.['country'],
    continent: cf?.['continent'],
    region: cf?.['regionCode'],
    asn: cf?.['asn'],
  };
}

function tellsPlace({ country, continent, region, asn }: TrustedHeaders): boolean {
  return (country ?? continent ?? region ?? asn) !== undefined;
}

function toldByHeaders(request: Request, trusted: TrustedHeaders): Told {
  return {
    country: lastValue(request, trusted.country),
    continent: lastValue(request, trusted.continent),
    region: lastValue(request, trusted.region),
    asn: lastValue(request, trusted.asn),
  };
}

/** The last of a header's values: the one that the nearest proxy set, even where it added instead of setting. */
function lastValue(request: Request, name: string | undefined): string | undefined {
  const value = name === undefined ? null : request.headers.get(name);
  return value === null ? undefined : fromEnd(value, 1);
}

function platformAddress(request: Request): string | undefined {
  const value = request.headers.get(PLATFORM_ADDRESS_HEADER);
  return value === null ? undefined : readAddressText(value);
}

function trustedAddress(request: Request, { address, hops = 1 }: TrustedHeaders): string | undefined {
  const list = address === undefined ? null : request.headers.get(address);
  const value = list === null ? undefined : fromEnd(list, hops);
  return value === undefined ? undefined : readAddressText(value);
}

/** The value so many places from the end of a list; nothing where the list is shorter. */
function fromEnd(list: string, places: number): string | undefined {
  let end = list.length;
  for (let place = 1; place < places; place += 1) {
    end = list.lastIndexOf(',', end - 1);
    if (end <= 0) {
      return undefined;
    }
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end).trim();
}

function readCode(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value.toUpperCase() : undefined;
}

/** A region without its country, or of another, says nothing. */
function readRegion(value: unknown, country: string | undefined): string | undefined {
  if (typeof value !== 'string' || country === undefined) {
    return undefined;
  }
  const subdivision = value.toUpperCase().startsWith(`${country}-`) ? value.slice(country.length + 1) : value;
  const code = readCode(subdivision, SUBDIVISION);
  return code === undefined ? undefined : `${country}-${code}`;
}

function readAsn(value: unknown): number | undefined {
  const digits = typeof value === 'number' ? String(value) : value;
  const asn = typeof digits === 'string' ? Number(ASN.exec(digits)?.[1]) : Number.NaN;
  return asn <= LARGEST_ASN ? asn : undefined;
}
