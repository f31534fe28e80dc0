/** The session that a viewer's requests belong to: begun, renewed, and asked whether it may go on. */

import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { SessionKeeper, type KeeperContext } from '../access/sessions/session-keeper.ts';
import { decideSession } from '../access/sessions/session-life.ts';
import { newSessionId, SessionTokens, type SessionGrant } from '../access/sessions/session-tokens.ts';
import type { SessionCall } from '../access/sessions/viewer-sessions.ts';
import type { Env } from '../env.ts';
import { NO_SECRET, type Admission, type Asked, type Misconfiguration } from './authorize.ts';
import type { DatedToken } from './carry-token.ts';
import { sessionLife, sessionSecret } from './session-settings.ts';

const NO_OBJECTS: KeeperContext['objects'] = {
  getByName: () => {
    throw new Error('VIEWER_SESSIONS is not bound: take it over from wrangler.toml');
  },
};

/** Sessions of all viewers; one lives as long as its isolate, and with it what it has verified and heard. */
export class ViewerSession {
  readonly #keeper = new SessionKeeper();
  #tokens: { readonly secret: string; readonly tokens: SessionTokens } | undefined;

  /** Tells what a session token grants. */
  async verify(token: string, env: Env): Promise<Result<Grant, Denial | Misconfiguration>> {
    return this.#sessionTokens(env)?.verify(token) ?? fail(NO_SECRET);
  }

  /** Where sessions are counted: whether the request belongs to one that has its place. */
  async check(grant: Grant, asked: Asked): Promise<Denial | undefined> {
    if (grant.sessions === undefined) {
      return undefined;
    }
    if (grant.viewer === undefined) {
      return { reason: 'token-malformed', detail: 'counted sessions need their viewer' };
    }
    if (grant.session === undefined) {
      const detail = 'a token with counted sessions opens the multivariant playlist alone';
      return asked.resource.kind === 'multivariant-playlist'
        ? undefined
        : { reason: 'other-request', detail };
    }
    const counted = countedSession({ ...grant, session: grant.session }, asked);
    return counted === undefined
      ? undefined
      : this.#keeper.check(counted.viewer, counted.call, keeperContext(asked));
  }

  /**
   * Begins the session of a token that needs one, or renews a session's token; to be called once the multivariant
   * playlist is there. `undefined` where the token that was shown goes on being shown.
   */
  async begin(
    { own, found }: Admission,
    asked: Asked,
  ): Promise<Result<DatedToken | undefined, Denial | Misconfiguration>> {
    const step = found === undefined ? undefined : decideSession(own, sessionLife(asked.env), asked.now);
    if (step === undefined || step.kind === 'none') {
      return ok(undefined);
    }
    const tokens = this.#sessionTokens(asked.env);
    if (tokens === undefined) {
      return fail(NO_SECRET);
    }
    const bound = step.kind === 'renew' ? ok(sameSession(own, asked)) : await this.#newSession(own, asked);
    if (!bound.ok) {
      return bound;
    }
    const { expires } = step;
    return ok({ token: await tokens.issue({ ...bound.value, expires }), expires });
  }

  async #newSession(grant: Grant, asked: Asked): Promise<Result<SessionGrant, Denial>> {
    const context = keeperContext(asked);
    if (grant.cat?.singleUse === true && !(await this.#keeper.claim(grant, context))) {
      return fail({ reason: 'other-request', detail: 'catreplay: the token was used before' });
    }
    const session = newSessionId();
    const counted = countedSession({ ...grant, session }, asked);
    if (counted === undefined) {
      return ok({ ...grant, session, sessionStarted: context.now });
    }
    const { started, denial } = await this.#keeper.begin(counted.viewer, counted.call, context);
    return denial === undefined ? ok({ ...grant, session, sessionStarted: started }) : fail(denial);
  }

  #sessionTokens(env: Env): SessionTokens | undefined {
    const secret = sessionSecret(env);
    if (secret !== undefined && this.#tokens?.secret !== secret) {
      this.#tokens = { secret, tokens: new SessionTokens(secret) };
    }
    return secret === undefined ? undefined : this.#tokens?.tokens;
  }
}

function sameSession(grant: Grant, asked: Asked): SessionGrant {
  const { session = newSessionId(), sessionStarted = asked.now * 1000 } = grant;
  return { ...grant, session, sessionStarted };
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

function keeperContext({ env, now, background }: Asked): KeeperContext {
  return { objects: env.VIEWER_SESSIONS ?? NO_OBJECTS, now: now * 1000, background };
}
