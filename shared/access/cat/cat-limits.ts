/** What a Common Access Token (CTA-5007-B §4.6) asks of each request that carries it. Plain JSON, like all of a grant. */

import { hasAddress } from '../address-list.ts';
import type { Denial } from '../denial.ts';
import type { Place } from '../place.ts';
import type { RequestFacts } from '../request-facts.ts';
import type { CatAction } from './cat-if.ts';
import { fitsEvery, type MatchRule } from './match-rule.ts';
import { uriComponent, type UriComponent } from './uri-component.ts';

/** What of a request has to fit; `undefined` and empty lists ask nothing. */
export interface CatLimits {
  /** `catu`: each component named has to fit all of its rules. */
  readonly uri: readonly { readonly component: UriComponent; readonly rules: readonly MatchRule[] }[];
  /** `catm` */
  readonly methods: readonly string[] | undefined;
  /** `catalpn` */
  readonly protocols: readonly string[] | undefined;
  /** `cath`: names in lower case. */
  readonly headers: readonly { readonly name: string; readonly rules: readonly MatchRule[] }[];
  /** `catnip`: under one of the prefixes or in one of the autonomous systems. */
  readonly networks: { readonly prefixes: readonly string[]; readonly asns: readonly number[] } | undefined;
  /** `catgeoiso3166`: in one of these countries (ISO 3166-1 alpha-2) or regions (ISO 3166-2). */
  readonly places: readonly string[] | undefined;
  /** `catreplay` 1: the token may be shown once, to be exchanged for a session. */
  readonly singleUse: boolean;
  /** `catif`: how to answer where a claim does not hold. */
  readonly actions: readonly CatAction[];
}

/** What {@link checkCatLimits} holds limits against. */
interface CatUse {
  readonly place: Place;
  readonly request?: RequestFacts;
  readonly claimed?: boolean;
}

/** Tells what of a request does not fit, if anything; grants of other tokens have no limits. */
export function checkCatLimits(limits: CatLimits | undefined, use: CatUse): Denial | undefined {
  if (limits === undefined) {
    return undefined;
  }
  const { request } = use;
  if (request === undefined) {
    return otherRequest('the request is not known');
  }
  if (limits.singleUse && use.claimed !== true) {
    return otherRequest('catreplay');
  }
  return checkRequest(limits, request) ?? checkPlace(limits, use.place);
}

function checkRequest(limits: CatLimits, request: RequestFacts): Denial | undefined {
  const { methods, protocols } = limits;
  const uri = limits.uri.find(
    ({ component, rules }) => !fitsEvery(rules, uriComponent(request.url, component)),
  );
  if (uri !== undefined) {
    return otherRequest(`catu ${uri.component}`);
  }
  if (methods !== undefined && !methods.includes(request.method)) {
    return otherRequest('catm');
  }
  if (protocols !== undefined && (request.alpn === undefined || !protocols.includes(request.alpn))) {
    return otherRequest('catalpn');
  }
  const header = limits.headers.find(({ name, rules }) => {
    const value = request.header(name);
    return value === null || !fitsEvery(rules, value);
  });
  return header === undefined ? undefined : otherRequest(`cath ${header.name}`);
}

function checkPlace({ networks, places }: CatLimits, place: Place): Denial | undefined {
  if (networks !== undefined) {
    const inSystem = place.asn !== undefined && networks.asns.includes(place.asn);
    if (!inSystem && !hasAddress(networks.prefixes, place.address)) {
      return { reason: 'location-blocked', rule: 'catnip', country: place.country };
    }
  }
  if (places !== undefined) {
    const known = [place.country, place.region];
    if (!known.some((name) => name !== undefined && places.includes(name))) {
      return { reason: 'location-blocked', rule: 'catgeoiso3166', country: place.country };
    }
  }
  return undefined;
}

function otherRequest(detail: string): Denial {
  return { reason: 'other-request', detail };
}
