/** A stream as the control API shows it: times become durations, so that no clock has to agree with ours. */

import type { StreamName } from '#shared/identifiers.ts';
import type { StreamStatus } from '../stream-status.ts';
import type { ControlParts } from './control-route.ts';

/** Shows a live stream with everything that is measured of it. */
export function showLive(status: StreamStatus, parts: ControlParts): Readonly<Record<string, unknown>> {
  const { since, lastPartAt, source, nextMsn, hub, ...rest } = status;
  const now = parts.now();
  const watched = parts.watch.get(status.stream);
  const { input, encoderSpeed, partTiming, mediaSeconds } = watched?.measure ?? {};
  return {
    ...showSet(status.stream, parts),
    state: 'live',
    ...rest,
    uptimeSeconds: secondsSince(since, now),
    source: source === undefined ? null : { video: source.video ?? null, audio: source.audio ?? null },
    nextMsn: nextMsn ?? null,
    lastPartAgeSeconds: lastPartAt === undefined ? null : secondsSince(lastPartAt, now),
    hub: hub ?? null,
    input: input === undefined ? null : nulled(input),
    encoderSpeed: encoderSpeed ?? null,
    partTiming: partTiming ?? null,
    mediaSeconds: mediaSeconds ?? 0,
    srt: status.srt ?? watched?.srt ?? null,
    degraded: watched?.degraded ?? [],
  };
}

/** Shows what was set of a stream, live or not. */
export function showSet(stream: StreamName, parts: ControlParts): Readonly<Record<string, unknown>> {
  const { settings } = parts.declared.get(stream);
  const until = parts.declared.stoppedUntil(stream);
  return {
    stream,
    state: until === undefined ? 'idle' : 'stopped',
    declared: settings !== undefined,
    settings: settings === undefined ? null : hideSecrets(settings),
    stoppedUntil: typeof until === 'number' ? new Date(until).toISOString() : unlimited(until),
  };
}

type Json = Readonly<Record<string, unknown>>;

/** What stands in the place of a secret; where a secret was named, not given, its name stays. */
const HIDDEN = { hidden: true };

/** Declared settings as everybody with the token may see them: not every reader of a status is to know the keys in it. */
function hideSecrets(settings: Json): Json {
  const { srt, restream, ...rest } = settings;
  const hide = (value: unknown): unknown => (typeof value === 'string' ? HIDDEN : value);
  return {
    ...rest,
    ...(isObject(srt) ? { srt: hideIn(srt, ['passphrase', 'pull'], hide) } : {}),
    ...(Array.isArray(restream)
      ? { restream: restream.map((target) => (isObject(target) ? hideIn(target, ['url'], hide) : HIDDEN)) }
      : {}),
  };
}

function hideIn(object: Json, names: readonly string[], hide: (value: unknown) => unknown): Json {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, names.includes(name) ? hide(value) : value]),
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unlimited(until: null | undefined): string | null {
  return until === null ? 'started' : null;
}

function nulled(measure: object): object {
  return Object.fromEntries(Object.entries(measure).map(([name, value]) => [name, value ?? null]));
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, now - at) / 1000;
}
