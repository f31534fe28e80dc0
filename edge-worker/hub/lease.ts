/**
 * Who may publish a stream, decided by the hub alone and by its clock alone. A change of holder raises the least epoch
 * that may publish, so whatever an earlier holder still sends, however late, is refused.
 */

import type { LeaseAnswer, LeaseRequest } from '#shared/wire/lease.ts';

/** The right to publish, held or held last. */
export interface Lease {
  readonly origin: string;
  readonly leaseMs: number;
  /** Least epoch that the holder may publish. */
  readonly floor: number;
  /** Newest epoch given out. */
  readonly newestEpoch: number;
  /** Unix milliseconds; past or 0: free for anyone to take. */
  readonly expiresAt: number;
  /** The holder's encoder ended the stream while another origin stood by: when that one goes too it ends. */
  readonly goodbye: boolean;
}

/** The lease, and who was refused it when, Unix milliseconds. */
export interface LeaseState {
  readonly lease: Lease | undefined;
  readonly standBys: ReadonlyMap<string, number>;
}

/** What the hub knows at the moment. */
export interface LeaseMoment {
  /** Unix milliseconds. */
  readonly now: number;
  /** Newest epoch that was begun. */
  readonly latestEpoch: number;
  readonly nextMsn: number;
}

/** What comes of a request; `end`: the stream is over, since the last that stood by has gone too. */
export interface LeaseDecision {
  readonly state: LeaseState;
  readonly answer: LeaseAnswer;
  readonly end: boolean;
}

/** Before anyone published. */
export const NO_LEASE: LeaseState = { lease: undefined, standBys: new Map() };
/** How long an origin counts as standing by after it asked, milliseconds: it asks twice a second. */
const STAND_BY_MS = 2_000;
/** Origins that are remembered as standing by: one is usual. */
const MAX_STAND_BYS = 16;
/**
 * How far a new holder's epochs lie beyond those of the one before: an origin that cannot reach the hub numbers its
 * own runs on by one, so that two never write objects under one name.
 */
const HOLDER_STEP = 1_000;

/** Answers an origin's request. */
export function decideLease(state: LeaseState, request: LeaseRequest, moment: LeaseMoment): LeaseDecision {
  switch (request.action) {
    case 'acquire':
      return isHeldByOther(state.lease, request.origin, moment.now)
        ? refuse(state, request.origin, moment.now)
        : grant(state, request, moment);
    case 'renew':
      return renew(state, request, moment.now);
    case 'release':
      return release(state, request, moment.now);
  }
}

/** What a publish request finds. */
export type LeaseCheck =
  /** It may publish; the lease is prolonged. */
  | { readonly kind: 'ours'; readonly lease: Lease | undefined }
  /** Its time has passed, and nobody publishes: it has to ask for the lease first. */
  | { readonly kind: 'lapsed' }
  /** Another origin publishes. */
  | { readonly kind: 'fenced'; readonly expiresInMs: number };

/** Whether a request may publish `epoch`; without a `publisher` it may while nobody holds the lease. */
export function checkPublish(
  lease: Lease | undefined,
  publisher: { readonly origin: string; readonly leaseMs: number } | undefined,
  epoch: number,
  now: number,
): LeaseCheck {
  if (lease !== undefined && lease.expiresAt > now && lease.origin !== publisher?.origin) {
    return { kind: 'fenced', expiresInMs: Math.ceil(lease.expiresAt - now) };
  }
  if (publisher === undefined) {
    return { kind: 'ours', lease };
  }
  const { origin, leaseMs } = publisher;
  if (lease !== undefined && (lease.origin !== origin || epoch < lease.floor)) {
    return { kind: 'lapsed' };
  }
  const floor = lease?.floor ?? epoch;
  const newestEpoch = Math.max(lease?.newestEpoch ?? 0, epoch);
  return {
    kind: 'ours',
    lease: { origin, leaseMs, floor, newestEpoch, expiresAt: now + leaseMs, goodbye: false },
  };
}

/** Frees the lease of a stream that has ended. */
export function freeLease(lease: Lease | undefined): Lease | undefined {
  return lease && { ...lease, expiresAt: 0, goodbye: false };
}

function isHeldByOther(lease: Lease | undefined, origin: string, now: number): boolean {
  return lease !== undefined && lease.origin !== origin && lease.expiresAt > now;
}

function grant(
  { lease, standBys }: LeaseState,
  { origin, leaseMs }: Extract<LeaseRequest, { action: 'acquire' }>,
  { now, latestEpoch, nextMsn }: LeaseMoment,
): LeaseDecision {
  const newest = Math.max(lease?.newestEpoch ?? 0, latestEpoch);
  const keeps = lease?.origin === origin;
  const step = keeps ? 1 : HOLDER_STEP;
  const epoch = Math.max(Math.floor(now / 1000), newest === 0 ? 1 : newest + step);
  const floor = keeps ? lease.floor : epoch;
  const granted = { origin, leaseMs, floor, newestEpoch: epoch, expiresAt: now + leaseMs, goodbye: false };
  return {
    state: { lease: granted, standBys: without(standBys, origin) },
    answer: { status: 'granted', epoch, nextMsn },
    end: false,
  };
}

function refuse({ lease, standBys }: LeaseState, origin: string, now: number): LeaseDecision {
  const waiting = standBys.size < MAX_STAND_BYS || standBys.has(origin);
  return {
    state: { lease, standBys: waiting ? new Map(standBys).set(origin, now) : recent(standBys, now) },
    answer: { status: 'held', expiresInMs: Math.max(0, Math.ceil((lease?.expiresAt ?? now) - now)) },
    end: false,
  };
}

/** A holder whose time has run out has lost nothing while nobody has taken over. */
function renew(
  state: LeaseState,
  { origin, leaseMs }: Extract<LeaseRequest, { action: 'renew' }>,
  now: number,
): LeaseDecision {
  const { lease, standBys } = state;
  if (lease?.origin !== origin) {
    const expiresInMs = Math.max(0, Math.ceil((lease?.expiresAt ?? now) - now));
    return { state, answer: { status: 'held', expiresInMs }, end: false };
  }
  const renewed = { ...lease, leaseMs, expiresAt: now + leaseMs, goodbye: false };
  return { state: { lease: renewed, standBys }, answer: { status: 'renewed' }, end: false };
}

function release(
  { lease, standBys }: LeaseState,
  { origin, goodbye }: Extract<LeaseRequest, { action: 'release' }>,
  now: number,
): LeaseDecision {
  const others = without(recent(standBys, now), origin);
  const isHolder = lease?.origin === origin;
  const isFree = lease === undefined || isHolder || lease.expiresAt <= now;
  const mayEnd = isHolder && others.size === 0;
  return {
    state: {
      lease: isHolder ? { ...lease, expiresAt: 0, goodbye: goodbye && !mayEnd } : lease,
      standBys: others,
    },
    answer: { status: 'released', mayEnd },
    end: !isHolder && isFree && lease?.goodbye === true && others.size === 0,
  };
}

function recent(standBys: ReadonlyMap<string, number>, now: number): ReadonlyMap<string, number> {
  return new Map([...standBys].filter(([, at]) => now - at < STAND_BY_MS));
}

function without(standBys: ReadonlyMap<string, number>, origin: string): ReadonlyMap<string, number> {
  return new Map([...standBys].filter(([other]) => other !== origin));
}
