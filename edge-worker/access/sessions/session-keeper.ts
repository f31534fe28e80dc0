/**
 * Asks a viewer's object whether a session still has its place: seldom, and never in the way of a viewer who had it
 * a moment ago. One keeper lives as long as its isolate.
 */

import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import { describeError, logEvent } from '../../log.ts';
import { HEARTBEAT_MS, LEASE_MS, type Lease } from './lease.ts';
import type { SessionAnswer, SessionCall } from './viewer-sessions.ts';

/** What the edge uses of the viewers' objects. */
export interface ViewerSessionObjects {
  getByName(viewer: string): {
    hear(call: SessionCall): Promise<SessionAnswer>;
    claim(until: number): Promise<boolean>;
    list(): Promise<readonly Lease[]>;
  };
}

/** What a request's surroundings are to the keeper. */
export interface KeeperContext {
  readonly objects: ViewerSessionObjects;
  /** Unix milliseconds. */
  readonly now: number;
  /** Keeps work alive that goes on after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** The name of a viewer's object. */
export function viewerObject(viewer: string): string {
  return `viewer:${viewer}`;
}

/** Longest wait for a viewer's object, milliseconds: beyond, the viewer is let through. */
const ANSWER_LIMIT_MS = 2_000;
/** Sessions remembered per isolate: at most 2 MB. */
const MAX_SESSIONS = 5_000;

interface Known {
  denial: Denial | undefined;
  /** When the object was last asked, and when it last answered, Unix milliseconds. */
  askedAt: number;
  answeredAt: number;
}

/** Keeps in mind what the viewers' objects said. */
export class SessionKeeper {
  readonly #known = new Map<string, Known>();

  /** Begins a session; the answer tells when it began, or why it may not. */
  async begin(
    viewer: string,
    call: Omit<SessionCall, 'started'>,
    context: KeeperContext,
  ): Promise<{ readonly started: number; readonly denial: Denial | undefined }> {
    const answer = await ask(viewer, { ...call, started: undefined }, context.objects);
    const denial = denialOf(answer, call);
    this.#remember(call.session, { denial, askedAt: context.now, answeredAt: context.now });
    return { started: answer?.started ?? context.now, denial };
  }

  /** Gives up a token for one use; `false` where that was done before, or nobody can tell. */
  async claim(
    grant: Pick<Grant, 'issuer' | 'tokenId' | 'expires'>,
    context: KeeperContext,
  ): Promise<boolean> {
    const { issuer = '', tokenId, expires } = grant;
    if (tokenId === undefined) {
      return false;
    }
    try {
      return await inTime(context.objects.getByName(`token:${issuer}:${tokenId}`).claim(expires * 1000));
    } catch (error) {
      logEvent('error', 'sessions-unreachable', { cause: describeError(error) });
      return false;
    }
  }

  /** Tells why a session may not go on; most often from memory, without waiting. */
  check(
    viewer: string,
    call: SessionCall,
    context: KeeperContext,
  ): Promise<Denial | undefined> | Denial | undefined {
    const known = this.#known.get(call.session);
    if (known === undefined || context.now - known.answeredAt >= LEASE_MS) {
      return this.#ask(viewer, call, context);
    }
    if (context.now - known.askedAt >= HEARTBEAT_MS) {
      known.askedAt = context.now;
      context.background(this.#ask(viewer, call, context));
    }
    return known.denial;
  }

  async #ask(viewer: string, call: SessionCall, context: KeeperContext): Promise<Denial | undefined> {
    const answer = await ask(viewer, call, context.objects);
    const known = this.#known.get(call.session);
    // Without an answer what was known stands: a viewer who plays goes on playing.
    const denial = answer === undefined ? known?.denial : denialOf(answer, call);
    this.#remember(call.session, { denial, askedAt: context.now, answeredAt: context.now });
    return denial;
  }

  #remember(session: string, known: Known): void {
    this.#known.delete(session);
    if (this.#known.size >= MAX_SESSIONS) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest ?? '');
    }
    this.#known.set(session, known);
  }
}

function denialOf(
  answer: SessionAnswer | undefined,
  call: Pick<SessionCall, 'sessions'>,
): Denial | undefined {
  return answer === undefined || answer.held
    ? undefined
    : { reason: 'too-many-sessions', limit: call.sessions.limit };
}

/** `undefined` where the object does not answer: counting may fail, playback may not. */
async function ask(
  viewer: string,
  call: SessionCall,
  objects: ViewerSessionObjects,
): Promise<SessionAnswer | undefined> {
  try {
    return await inTime(objects.getByName(viewerObject(viewer)).hear(call));
  } catch (error) {
    logEvent('error', 'sessions-unreachable', { stream: call.stream, cause: describeError(error) });
    return undefined;
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`));
  }, ANSWER_LIMIT_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
