/** Which relay stands between a viewer's part of the world and a stream's hub. */

/** Parts of the world that have a relay of their own: Cloudflare's location hints for Durable Objects. */
export type Region = 'wnam' | 'enam' | 'sam' | 'weur' | 'eeur' | 'apac' | 'oc' | 'afr' | 'me';

/** Where a request came from, as `request.cf` tells it. */
export interface ViewerPlace {
  /** Two letters: AF, AN, AS, EU, NA, OC, SA. */
  readonly continent?: unknown;
  /** ISO 3166-1 alpha-2. */
  readonly country?: unknown;
  /** Decimal degrees, as text. */
  readonly longitude?: unknown;
}

/** North America is served from both coasts; the line between them, degrees east. */
const AMERICAN_DIVIDE = -100;
/** Europe is served from west and east; the line between them, degrees east. */
const EUROPEAN_DIVIDE = 15;
/** Asia's countries whose traffic meets in the Gulf rather than in Singapore or Tokyo. */
const MIDDLE_EAST: ReadonlySet<unknown> = new Set([
  ...['AE', 'BH', 'IL', 'IQ', 'IR', 'JO', 'KW'],
  ...['LB', 'OM', 'PS', 'QA', 'SA', 'SY', 'TR', 'YE'],
]);

/** Every region, in no order. */
export const REGIONS: readonly Region[] = [
  ...(['wnam', 'enam', 'sam', 'weur', 'eeur'] as const),
  ...(['apac', 'oc', 'afr', 'me'] as const),
];

/** Chooses the region of a viewer; `undefined` where the place is not known, and the hub itself answers. */
export function regionOf(place: ViewerPlace | undefined): Region | undefined {
  const longitude = Number(place?.longitude ?? Number.NaN);
  switch (place?.continent) {
    case 'NA':
      return longitude < AMERICAN_DIVIDE ? 'wnam' : 'enam';
    case 'EU':
      return longitude > EUROPEAN_DIVIDE ? 'eeur' : 'weur';
    case 'AS':
      return MIDDLE_EAST.has(place.country) ? 'me' : 'apac';
    case 'SA':
      return 'sam';
    case 'OC':
    case 'AN':
      return 'oc';
    case 'AF':
      return 'afr';
    default:
      return undefined;
  }
}

/** Reads a region from text that another part of this program wrote. */
export function parseRegion(text: unknown): Region | undefined {
  return REGIONS.find((region) => region === text);
}
