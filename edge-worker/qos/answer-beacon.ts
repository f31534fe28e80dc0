/** The intake: `POST /beacon` with Rill's JSON; the answer says only whether it was understood. */

import { MAX_BEACON_BYTES, beaconSchema } from '../../shared/qos/beacon.ts';
import { parseStreamName, type StreamName } from '../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { errorAnswer } from '../answer.ts';
import { readAddress } from '../gateway/address.ts';
import { authorize } from '../gateway/authorize.ts';
import { denialAnswer } from '../gateway/denial-answer.ts';
import { placeOf } from '../gateway/place.ts';
import type { PlaybackContext } from '../gateway/play.ts';
import { readBody } from '../hub/read-body.ts';
import {
  CMCD_TYPE,
  NEW_CMCD_SESSION,
  cmcdPlayerEvents,
  readCmcdEvents,
  type CmcdSession,
  type CmcdState,
} from './intake/cmcd-events.ts';
import { playerPoints, type PlayerReport } from './intake/player-points.ts';
import { Recent } from './intake/recent.ts';
import { ReplayGuard } from './intake/replay-guard.ts';
import { identify } from './identity.ts';
import { requestFacts } from './request-facts.ts';
import { qosSink } from './sink.ts';

/** What a session said, in either language. */
type SessionReport =
  | {
      readonly kind: 'beacon';
      readonly session: string;
      readonly stream: StreamName;
      readonly report: PlayerReport;
    }
  | ({ readonly kind: 'cmcd' } & CmcdSession);

/** Why a body is no report. */
type ReportFailure = { readonly reason: 'invalid-beacon'; readonly detail: string };

/** What a request for the intake comes with. */
export interface IntakeContext extends Pick<PlaybackContext, 'env' | 'snapshot' | 'sessions' | 'background'> {
  /** Unix ms. */
  readonly now: () => number;
}

/** `sendBeacon` of a text has no other type. */
const JSON_TYPES = /^(?:application\/json|text\/plain)\s*(?:;|$)/i;
/** CMCD sessions remembered by an isolate, some 200 bytes each. */
const MAX_CMCD_SESSIONS = 20_000;

/** One per isolate. */
const guard = new ReplayGuard();
const cmcdStates = new Recent<CmcdState>(MAX_CMCD_SESSIONS);

/** Answers 204 where the report was taken, else what was wrong with it. */
export async function answerBeacon(request: Request, context: IntakeContext): Promise<Response> {
  const body = await readBody(request, MAX_BEACON_BYTES);
  if (body === undefined) {
    return errorAnswer(413, 'too-large', { detail: `at most ${MAX_BEACON_BYTES} bytes` });
  }
  const reports = readReports(request, body);
  if (!reports.ok) {
    return errorAnswer(400, reports.failure.reason, { detail: reports.failure.detail });
  }
  for (const report of reports.value) {
    const refused = await takeReport(request, report, context);
    if (refused !== undefined) {
      return refused;
    }
  }
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } });
}

/** Writes a session's report, or answers that its bearer may not report on that stream. */
async function takeReport(
  request: Request,
  report: SessionReport,
  context: IntakeContext,
): Promise<Response | undefined> {
  const { env, background } = context;
  const now = context.now();
  const snapshot = await context.snapshot();
  if (!snapshot.ok) {
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
  const asked = {
    ...{ request, url: readAddress(request.url), place: placeOf(request, env), env, background },
    resource: { kind: 'multivariant-playlist' as const, stream: report.stream },
    snapshot: snapshot.value,
    now: Math.floor(now / 1000),
  };
  const admission = await authorize(asked, context.sessions);
  if (!admission.ok) {
    return denialAnswer(admission.failure, report.stream);
  }
  const sink = qosSink(env, context.now);
  if (sink === undefined) {
    return undefined;
  }
  const identity = await identify({
    secret: env.RILL_PLAY_SECRET ?? '',
    admission: admission.value,
    stream: report.stream,
    session: report.session,
    now,
  });
  const told = report.kind === 'cmcd' ? cmcdReport(report, identity.session, now) : report.report;
  const taken = playerPoints(told, { identity, facts: requestFacts(request, asked.place), guard, now });
  sink.write(taken.points, { waitUntil: background, isNumbered: true });
  return undefined;
}

function cmcdReport(session: CmcdSession, id: string, now: number): PlayerReport {
  const { events, state } = cmcdPlayerEvents(session.lines, cmcdStates.get(id) ?? NEW_CMCD_SESSION, now);
  cmcdStates.set(id, state);
  // CMCD does not tell when a batch was sent: its last event is at most as old as the way of the request.
  const sentAt = events.at(-1)?.at ?? now;
  return { stream: session.stream, player: '', playerVersion: '', sentAt, source: 'cmcd', events };
}

function readReports(request: Request, body: Uint8Array): Result<readonly SessionReport[], ReportFailure> {
  const type = request.headers.get('content-type') ?? 'text/plain';
  const text = readText(body);
  if (text === undefined) {
    return invalid('the body is not UTF-8');
  }
  if (CMCD_TYPE.test(type)) {
    const sessions = readCmcdEvents(text, new URL(request.url));
    return sessions.ok ? ok(sessions.value.map((one) => ({ kind: 'cmcd', ...one }))) : sessions;
  }
  return JSON_TYPES.test(type)
    ? readJsonBeacon(text)
    : invalid('content types are application/json, text/plain and application/cmcd');
}

function readText(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    return undefined;
  }
}

function readJsonBeacon(text: string): Result<readonly SessionReport[], ReportFailure> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalid('the body is not JSON');
  }
  const parsed = beaconSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`.slice(0, 200));
  }
  const { session, stream: name, player, playerVersion, sentAt, events } = parsed.data;
  const stream = parseStreamName(name);
  if (!stream.ok) {
    return invalid(`stream: ${stream.failure.expected}`);
  }
  const report = { stream: stream.value, player, playerVersion, sentAt, source: 'beacon' as const, events };
  return ok([{ kind: 'beacon', session, stream: stream.value, report }]);
}

function invalid(detail: string): Result<never, ReportFailure> {
  return fail({ reason: 'invalid-beacon', detail });
}
