/** Everything that is asked of one request of a session, for `access-cost-worker.ts`: what the edge has at its busiest. */

import type { AccessSnapshot } from '../shared/access/access-snapshot.ts';
import type { Grant } from '../shared/access/grant.ts';
import type { Place } from '../shared/access/place.ts';
import type { PolicyRule } from '../shared/access/policy.ts';
import { newSessionId, SessionTokens } from '../edge-worker/access/sessions/session-tokens.ts';
import { testEnv } from '../edge-worker/testing/fixture.ts';
import { authorize } from '../edge-worker/gateway/authorize.ts';
import { ViewerSession } from '../edge-worker/gateway/viewer-session.ts';
import { parseLiveResource } from '../edge-worker/resource.ts';

/** Entries of the geo rules, of which the request's own is the last. */
const RULE_ENTRIES = 200;
const REVOCATIONS = 1000;
const SECRET = 'a playback secret for benches that is long enough';

/** Makes a judge of one session's requests: token, revocation, rules, session. */
export async function wholePolicy(place: Place, now: number): Promise<() => Promise<boolean>> {
  const session = { session: newSessionId(), sessionStarted: now * 1000 };
  const token = await new SessionTokens(SECRET).issue({ ...grantFor(now), ...session });
  const request = new Request(`https://edge.example/t/${token}/live/show/360p/7-1.m4s`);
  const resource = parseLiveResource('/live/show/360p/7-1.m4s');
  if (!resource.ok) {
    throw new Error(resource.failure.detail);
  }
  const env = testEnv({
    RILL_PLAY_SECRET: SECRET,
    VIEWER_SESSIONS: {
      getByName: () => ({
        hear: async () => ({ held: true, started: session.sessionStarted }),
        claim: async () => true,
        list: async () => [],
      }),
    },
  });
  const sessions = new ViewerSession();
  const snapshot = makeSnapshot(now);
  const background = (): void => undefined;
  return async () => {
    const url = new URL(request.url);
    const asked = { request, url, resource: resource.value, place, env, snapshot, now, background };
    return (await authorize(asked, sessions)).ok;
  };
}

function makeSnapshot(now: number): AccessSnapshot {
  const rules = Array.from({ length: RULE_ENTRIES / 2 - 1 }, (_, index): PolicyRule => {
    const match = { prefixes: [`198.18.${index}.0/24`], asns: [65_000 + index] };
    return { id: `rule-${index}`, effect: index % 2 === 0 ? 'deny' : 'allow', match };
  });
  const home: PolicyRule = { id: 'home', effect: 'allow', match: { countries: ['FR', 'DE'] } };
  return {
    version: 1,
    policies: { default: { access: 'token', rules: [...rules, home] }, streams: {} },
    keys: [],
    revocations: Array.from({ length: REVOCATIONS }, (_, index) => ({
      kind: 'token',
      id: `revoked-${index}`,
      issuedUpTo: now,
      until: now + 3600,
    })),
  };
}

function grantFor(now: number): Grant & { readonly session: string } {
  return {
    tokenId: 'token-1',
    issuer: undefined,
    viewer: 'viewer-1',
    scopes: ['play'],
    streams: ['show'],
    notBefore: now,
    issuedAt: now,
    expires: now + 600,
    area: { countries: ['DE'], regions: undefined, asns: undefined, prefixes: ['192.0.2.0/24'] },
    maxHeight: undefined,
    maxBitrate: undefined,
    sessions: { limit: 2, loser: 'oldest' },
    timeShift: undefined,
    session: '',
  };
}
