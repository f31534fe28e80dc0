/** Request-level points: what became of each request for a stream, and what CMCD in it says. Never in the viewer's way. */

import { fromCmcdHeaders, fromCmcdQuery } from '@svta/cml-cmcd';
import type { Place } from '../../shared/access/place.ts';
import { DELIVERY_EVENT, type QosPoint } from '../../shared/qos/schema.ts';
import { HIT } from '../delivery/cache/answer-cache.ts';
import type { Kept } from '../delivery/cache/kept.ts';
import type { Delivered } from '../delivery/delivered.ts';
import { SERVED_BY_HEADER } from '../delivery/served-by.ts';
import type { Env } from '../env.ts';
import type { Admission } from '../gateway/authorize.ts';
import { describeError, logEvent } from '../log.ts';
import type { LiveResource } from '../resource.ts';
import { identify } from './identity.ts';
import { MAX_CMCD_LENGTH, measuredBy, readCmcdFields, type CmcdFields } from './intake/cmcd-fields.ts';
import { Recent } from './intake/recent.ts';
import { requestFacts } from './request-facts.ts';
import { qosSink } from './sink.ts';
import { HEARTBEAT_MS } from '../../shared/qos/beacon.ts';

/** A request that has been answered. */
export interface AnsweredRequest {
  readonly request: Request;
  readonly resource: LiveResource;
  readonly admission: Admission;
  readonly place: Place;
  readonly status: number;
  /** Of the answer's body before it is compressed. */
  readonly bytes: number;
  /** Whether delivery's answer came from a cache. */
  readonly isHit: boolean;
  /** Who made delivery's answer. */
  readonly servedBy: string | undefined;
  /** Unix ms. */
  readonly startedAt: number;
  readonly firstByteAt: number;
}

/** Takes what the gateway knows of a request that it has answered. */
export type RecordAnswered = (answered: Omit<AnsweredRequest, 'startedAt' | 'firstByteAt'>) => void;

/** Where a record goes. */
export interface RecordContext {
  readonly env: Env;
  readonly now: () => number;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** 0 to 1. */
  readonly random: () => number;
}

/** Share of requests that become points unless the setting says otherwise. */
const DEFAULT_SAMPLE = 0.1;
/** Sessions remembered by an isolate, some 100 bytes each. */
const MAX_SESSIONS = 20_000;
const CMCD_PARAMETER = 'CMCD';
const CMCD_SESSION_HEADER = 'cmcd-session';
const CMCD_HEADERS = ['cmcd-object', 'cmcd-request', CMCD_SESSION_HEADER, 'cmcd-status'];

/** When a session's requests last became a heartbeat, Unix ms. */
const heartbeats = new Recent<number>(MAX_SESSIONS);

/** Notes an answered request, after the answer; whatever fails here is logged and felt by nobody. */
export function recordDelivery(answered: AnsweredRequest, context: RecordContext): void {
  try {
    const sample = sampleOf(context.env);
    const isSampled = context.random() < sample;
    // Most requests are not of the sample and bring no session, and need nothing further.
    if (!isSampled && !mayNameSession(answered.request)) {
      return;
    }
    const sink = qosSink(context.env, context.now);
    const cmcd = sink === undefined ? undefined : readCmcd(answered.request);
    if (sink === undefined || (!isSampled && cmcd?.sid === undefined)) {
      return;
    }
    context.waitUntil(
      pointsOf(answered, { cmcd, weight: isSampled ? 1 / sample : undefined, context })
        .then((points) => sink.write(points, { waitUntil: context.waitUntil, isNumbered: false }))
        .catch(logFailure),
    );
  } catch (error) {
    logFailure(error);
  }
}

/** What became of a request, by delivery's answer and the viewer's. */
export function outcomeOf(
  delivered: Delivered,
  answer: Delivered,
): Pick<AnsweredRequest, 'status' | 'bytes' | 'isHit' | 'servedBy'> {
  return {
    status: answer.status,
    bytes: Number(answer.headers['content-length'] ?? 0),
    isHit: isCacheHit(delivered),
    servedBy: delivered.headers[SERVED_BY_HEADER],
  };
}

/** What became of a request that got the whole of what this edge keeps. */
export function outcomeOfKept({ answer, how }: Kept): ReturnType<typeof outcomeOf> {
  const { status, headers, body } = answer;
  return { status, bytes: body.size, isHit: how === HIT, servedBy: headers[SERVED_BY_HEADER] };
}

/** Whether a request may say which playback session it is of: CTA-5004 §3.1 has the id in the query or one header. */
function mayNameSession({ url, headers }: Request): boolean {
  return url.includes(CMCD_PARAMETER) || headers.has(CMCD_SESSION_HEADER);
}

/** Reads CMCD of a request, CTA-5004: the query's `CMCD`, else the four headers; what cannot be read is none. */
export function readCmcd(request: Request): CmcdFields | undefined {
  try {
    const query = request.url.includes(CMCD_PARAMETER)
      ? new URL(request.url).searchParams.get(CMCD_PARAMETER)
      : null;
    if (query !== null) {
      return query.length > MAX_CMCD_LENGTH
        ? undefined
        : readCmcdFields(fromCmcdQuery(new URLSearchParams({ [CMCD_PARAMETER]: query })));
    }
    const texts = CMCD_HEADERS.flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    const length = texts.reduce((sum, [, value]) => sum + value.length, 0);
    return texts.length === 0 || length > MAX_CMCD_LENGTH
      ? undefined
      : readCmcdFields(fromCmcdHeaders(new Headers(texts.map(([name, value]) => [name, value]))));
  } catch {
    return undefined;
  }
}

async function pointsOf(
  answered: AnsweredRequest,
  parts: {
    readonly cmcd: CmcdFields | undefined;
    /** `undefined`: the request is not of the sample. */
    readonly weight: number | undefined;
    readonly context: RecordContext;
  },
): Promise<readonly QosPoint[]> {
  const { request, resource, admission, place } = answered;
  const { cmcd, weight, context } = parts;
  const now = context.now();
  const identity = await identify({
    secret: context.env.RILL_PLAY_SECRET ?? '',
    admission,
    stream: resource.stream,
    session: cmcd?.sid ?? '',
    now,
  });
  const about: QosPoint = {
    stream: resource.stream,
    viewer: identity.viewer,
    ...(cmcd?.sid === undefined ? {} : { session: identity.session }),
    ...requestFacts(request, place),
    at_ms: answered.startedAt,
  };
  const points: QosPoint[] = [];
  if (weight !== undefined) {
    points.push({ ...about, ...deliveryFacts(answered), ...cmcdColumns(cmcd), weight });
  }
  if (cmcd?.sid !== undefined) {
    points.push(...sessionPoints(about, cmcd, { id: identity.session, now }));
  }
  return points;
}

/** The players' part of CMCD in requests: starvation at once, a heartbeat as often as a player's own would come. */
function sessionPoints(
  about: QosPoint,
  cmcd: CmcdFields,
  session: { readonly id: string; readonly now: number },
): readonly QosPoint[] {
  const { id, now } = session;
  const last = heartbeats.get(id);
  const told: QosPoint = { ...about, ...cmcdColumns(cmcd), source: 'cmcd', seq: now };
  const points: QosPoint[] = [];
  if (cmcd.bs === true) {
    points.push({ ...told, event: 'stall_begin' });
  }
  if (last === undefined) {
    heartbeats.set(id, now);
    return [{ ...told, event: 'session_start' }, ...points];
  }
  if (now - last >= HEARTBEAT_MS) {
    heartbeats.set(id, now);
    // Requests tell that a player plays, not how long: at most two heartbeats are believed.
    points.push({ ...told, event: 'heartbeat', watched_ms: Math.min(now - last, 2 * HEARTBEAT_MS) });
  }
  return points;
}

function cmcdColumns(cmcd: CmcdFields | undefined): Partial<QosPoint> {
  if (cmcd === undefined) {
    return {};
  }
  const { bitrate, throughput, bufferMs, latencyMs, playedRate } = measuredBy(cmcd);
  return { bitrate, throughput, buffer_ms: bufferMs, latency_ms: latencyMs, played_rate: playedRate };
}

function deliveryFacts(answered: AnsweredRequest): Partial<QosPoint> {
  const { resource, status, bytes, isHit, servedBy = 'none' } = answered;
  return {
    event: DELIVERY_EVENT,
    source: 'edge',
    resource: resource.kind === 'media' ? resource.file.kind : resource.kind,
    rendition: resource.kind === 'multivariant-playlist' ? '' : resource.rendition,
    status,
    bytes: answered.request.method === 'HEAD' ? 0 : bytes,
    ttfb_ms: Math.max(0, answered.firstByteAt - answered.startedAt),
    cache_hit: isHit ? 1 : 0,
    served_by: servedBy,
  };
}

/** RFC 9211's `hit` from this edge's own cache, or the platform's word. */
function isCacheHit({ headers }: Delivered): boolean {
  return headers['cf-cache-status'] === 'HIT' || /;\s*hit(?:;|$)/.test(headers['cache-status'] ?? '');
}

function sampleOf(env: Env): number {
  const given = Number(env.RILL_QOS_DELIVERY_SAMPLE ?? DEFAULT_SAMPLE);
  return given >= 0 && given <= 1 ? given : DEFAULT_SAMPLE;
}

function logFailure(error: unknown): void {
  logEvent('warn', 'qos-record-failed', { cause: describeError(error) });
}
