/** The whole of what a request is judged by, for `access-cost-worker.ts`: rules of 200 entries, a counted session. */

import type { AccessSnapshot } from '../shared/access/access-snapshot.ts';
import type { PolicyRule } from '../shared/access/policy.ts';
import type { ViewerSessionObjects } from '../edge-worker/access/sessions/session-keeper.ts';
import { SessionTokens } from '../edge-worker/access/sessions/session-tokens.ts';
import type { Env } from '../edge-worker/env.ts';
import { authorize } from '../edge-worker/gateway/authorize.ts';
import { placeOf } from '../edge-worker/gateway/place.ts';
import { ViewerSession } from '../edge-worker/gateway/viewer-session.ts';
import { parseLiveResource } from '../edge-worker/resource.ts';
import { NOW, testEnv } from '../edge-worker/testing/fixture.ts';

const SECRET = 'a playback secret for benches that is long enough';

/** Makes a function that judges one request of a session for media, place and all. */
export async function sessionRequest(): Promise<() => Promise<boolean>> {
  const token = await new SessionTokens(SECRET).issue({
    ...{ tokenId: 'token', issuer: 'issuer', viewer: 'viewer', scopes: ['play'], streams: ['show'] },
    ...{ notBefore: NOW - 60, issuedAt: NOW - 60, expires: NOW + 3_600 },
    area: { countries: ['DE', 'FR'], regions: undefined, asns: undefined, prefixes: ['192.0.2.0/24'] },
    ...{ maxHeight: 720, maxBitrate: undefined, timeShift: undefined },
    sessions: { limit: 2, loser: 'oldest' },
    ...{ session: 'session', sessionStarted: NOW * 1000 },
  });
  const hear = async (): Promise<{ held: boolean; started: number }> => ({ held: true, started: NOW * 1000 });
  const objects: ViewerSessionObjects = {
    getByName: () => ({ hear, claim: async () => true, list: async () => [] }),
  };
  const env: Env = { ...testEnv({ VIEWER_SESSIONS: objects }), RILL_PLAY_SECRET: SECRET };
  const url = new URL(`https://edge.example/t/${token}/live/show/360p/7-1.m4s`);
  const cf = { country: 'DE', continent: 'EU', regionCode: 'BY', asn: 64_500 };
  const init: RequestInit & { readonly cf: unknown } = { headers: { 'cf-connecting-ip': '192.0.2.7' }, cf };
  const request = new Request(url, init);
  const resource = parseLiveResource('/live/show/360p/7-1.m4s');
  const sessions = new ViewerSession();
  const snapshot = rules();
  return async () => {
    if (!resource.ok) {
      return false;
    }
    const place = placeOf(request, env);
    const background = (): void => undefined;
    const asked = { request, url, resource: resource.value, place, env, snapshot, now: NOW, background };
    return (await authorize(asked, sessions)).ok;
  };
}

/** 200 entries over every kind of list, and a thousand revocations of others. */
function rules(): AccessSnapshot {
  const range = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const letters = range(50, (i) => String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26)));
  const list: PolicyRule[] = [
    { id: 'licence', effect: 'allow', match: { countries: ['DE', ...letters.slice(0, 49)] } },
    { id: 'regions', effect: 'deny', match: { regions: range(30, (i) => `DE-${i + 10}`) } },
    { id: 'systems', effect: 'deny', match: { asns: range(40, (i) => 65_000 + i) } },
    { id: 'proxies', effect: 'deny', match: { prefixes: range(80, (i) => `198.51.${i}.0/24`) } },
  ];
  return {
    version: 1,
    policies: { default: { access: 'token', rules: list }, streams: {} },
    keys: [],
    revocations: range(1_000, (i) => ({
      kind: 'viewer',
      id: `other-${i}`,
      issuedUpTo: NOW,
      until: NOW + 3_600,
    })),
  };
}
