/** Who may watch: from a request to what its viewer may do, and to the session in which it is done. */

import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import { checkGrant } from '../../shared/access/claims.ts';
import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { Place } from '../../shared/access/place.ts';
import type { StreamName } from '../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { findRevocation } from '../access/revocation-check.ts';
import { SessionKeeper, type KeeperContext } from '../access/sessions/session-keeper.ts';
import { decideSession } from '../access/sessions/session-life.ts';
import { isSessionToken, newSessionId, SessionTokens } from '../access/sessions/session-tokens.ts';
import type { SessionCall } from '../access/sessions/viewer-sessions.ts';
import type { Env } from '../env.ts';
import type { LiveResource } from '../resource.ts';
import type { DatedToken } from './carry-token.ts';
import { findToken, type FoundToken } from './find-token.ts';
import { sessionLife, sessionSecret } from './session-settings.ts';
import { MIN_SECRET_BYTES, TokenVerifier } from './token-verifier.ts';

/** The edge cannot judge tokens; the detail names the setting and how to set it. */
export type Misconfiguration = { readonly reason: 'not-configured'; readonly detail: string };

/** What is asked, and by whom. */
export interface Asked {
  readonly request: Request;
  readonly url: URL;
  readonly resource: LiveResource;
  readonly place: Place;
  readonly env: Env;
  readonly snapshot: AccessSnapshot;
  /** Unix seconds. */
  readonly now: number;
  /** Lets work go on after the request's answer. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** A request that may be answered. */
export interface Admission {
  /** What its viewer may do, the stream's own limits included. */
  readonly grant: Grant;
  /** The token that says so; `undefined` where the stream is public. */
  readonly found: FoundToken | undefined;
}

/** Judges requests; one lives as long as its isolate, and with it what it has verified. */
export class AccessGate {
  readonly #keeper = new SessionKeeper();
  #verifier: { readonly secret: string; readonly verifier: TokenVerifier } | undefined;
  #sessions: { readonly secret: string; readonly tokens: SessionTokens } | undefined;

  /** Tells what the viewer of a request may do, or why the request is denied. */
  async admit(asked: Asked): Promise<Result<Admission, Denial | Misconfiguration>> {
    const { resource, snapshot, now } = asked;
    const policy = snapshot.policies.streams[resource.stream] ?? snapshot.policies.default;
    if (policy.access === 'public') {
      return ok({ grant: publicGrant(resource.stream), found: undefined });
    }
    const found = findToken(asked.request, asked.url);
    if (found === undefined) {
      return fail({ reason: 'token-missing' });
    }
    const verified = await this.#verify(found.token, asked);
    if (!verified.ok) {
      return verified;
    }
    const grant = verified.value;
    const revoked = findRevocation(grant, snapshot.revocations, now);
    if (revoked !== undefined) {
      return fail(revoked);
    }
    const checked = checkGrant({ grant, stream: resource.stream, country: asked.place.country, now });
    if (!checked.ok) {
      return checked;
    }
    const denial = await this.#checkSession(grant, asked);
    return denial === undefined ? ok({ grant, found }) : fail(denial);
  }

  /**
   * Starts the session of a token that needs one, or renews a session's token; to be called once the multivariant
   * playlist is there. `undefined` where the token that was shown goes on being shown.
   */
  async beginSession(
    { grant, found }: Admission,
    asked: Asked,
  ): Promise<Result<DatedToken | undefined, Denial | Misconfiguration>> {
    const { env, now } = asked;
    const step = found === undefined ? NO_STEP : decideSession(grant, sessionLife(env), now);
    if (step.kind === 'none') {
      return ok(undefined);
    }
    const tokens = this.#sessionTokens(env);
    if (tokens === undefined) {
      return fail(NO_SECRET);
    }
    if (step.kind === 'renew' && grant.session !== undefined) {
      const { session, sessionStarted = now * 1000 } = grant;
      const token = await tokens.issue({ ...grant, session, sessionStarted, expires: step.expires });
      return ok({ token, expires: step.expires });
    }
    const session = newSessionId();
    let sessionStarted = now * 1000;
    const counted = countedSession({ ...grant, session }, asked);
    if (counted !== undefined) {
      const { started, denial } = await this.#keeper.begin(
        counted.viewer,
        counted.call,
        keeperContext(asked),
      );
      if (denial !== undefined) {
        return fail(denial);
      }
      sessionStarted = started;
    }
    const token = await tokens.issue({ ...grant, session, sessionStarted, expires: step.expires });
    return ok({ token, expires: step.expires });
  }

  async #verify(token: string, { env, now }: Asked): Promise<Result<Grant, Denial | Misconfiguration>> {
    if (isSessionToken(token)) {
      return this.#sessionTokens(env)?.verify(token) ?? fail(NO_SECRET);
    }
    const secret = env.RILL_PLAY_SECRET;
    if (secret === undefined || new TextEncoder().encode(secret).length < MIN_SECRET_BYTES) {
      return fail(NO_SECRET);
    }
    if (this.#verifier?.secret !== secret) {
      this.#verifier = { secret, verifier: new TokenVerifier(secret) };
    }
    return this.#verifier.verifier.verify(token, now);
  }

  /** Where sessions are counted, each request is one of a session that has its place. */
  async #checkSession(grant: Grant, asked: Asked): Promise<Denial | undefined> {
    if (grant.sessions === undefined) {
      return undefined;
    }
    if (grant.viewer === undefined) {
      return { reason: 'token-malformed', detail: 'counted sessions need their viewer' };
    }
    if (grant.session === undefined) {
      return asked.resource.kind === 'multivariant-playlist'
        ? undefined
        : {
            reason: 'other-request',
            detail: 'a token with counted sessions opens the multivariant playlist alone',
          };
    }
    const counted = countedSession({ ...grant, session: grant.session }, asked);
    return counted === undefined
      ? undefined
      : this.#keeper.check(counted.viewer, counted.call, keeperContext(asked));
  }

  #sessionTokens(env: Env): SessionTokens | undefined {
    const secret = sessionSecret(env);
    if (secret !== undefined && this.#sessions?.secret !== secret) {
      this.#sessions = { secret, tokens: new SessionTokens(secret) };
    }
    return secret === undefined ? undefined : this.#sessions?.tokens;
  }
}

const NO_STEP = { kind: 'none' } as const;
const NO_SECRET: Misconfiguration = {
  reason: 'not-configured',
  detail: `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`,
};

/** What everybody may do with a public stream, before its rules. */
function publicGrant(stream: StreamName): Grant {
  return {
    tokenId: undefined,
    issuer: undefined,
    viewer: undefined,
    scopes: ['play'],
    streams: [stream],
    notBefore: undefined,
    expires: Number.POSITIVE_INFINITY,
    area: { countries: undefined, regions: undefined, asns: undefined, prefixes: undefined },
    maxHeight: undefined,
    maxBitrate: undefined,
    sessions: undefined,
    timeShift: undefined,
    session: undefined,
  };
}

/** What a viewer's object is told of a session that is counted; `undefined` where the grant's are not. */
function countedSession(
  { viewer, session, sessions, sessionStarted }: Grant & { readonly session: string },
  { resource, place }: Asked,
): { readonly viewer: string; readonly call: SessionCall } | undefined {
  if (viewer === undefined || sessions === undefined) {
    return undefined;
  }
  const { stream } = resource;
  return { viewer, call: { session, stream, country: place.country, started: sessionStarted, sessions } };
}

function keeperContext({ env, now, waitUntil }: Asked): KeeperContext {
  return { objects: env.VIEWER_SESSIONS ?? NO_OBJECTS, now: now * 1000, waitUntil };
}

const NO_OBJECTS: KeeperContext['objects'] = {
  getByName: () => {
    throw new Error('VIEWER_SESSIONS is not bound: take it over from wrangler.toml');
  },
};
