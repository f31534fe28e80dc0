/** Where points go: Analytics Engine by its binding, or ClickHouse and chDB through the writer. Writing never fails a request. */

import { jsonRow, positional, type QosPoint } from '../../shared/qos/schema.ts';
import type { Env } from '../env.ts';
import { heardOf } from './now/live-sessions.ts';
import { NOW_NAME, NOW_ORIGIN, NOW_PATH } from './now/now-address.ts';
import { Outbox, type OutboxRoute } from './writer/outbox.ts';
import { renderRowLine, type EventKey } from './writer/row-line.ts';
import {
  DROPPED_HEADER,
  POINTS_PATH,
  ROWS_PATH,
  WRITER_NAME,
  WRITER_ORIGIN,
} from './writer/writer-address.ts';

/** Takes points, at once and for good. */
export interface QosSink {
  /** Returns at once; what is left to do goes on in `waitUntil`. */
  write(points: readonly QosPoint[], how: HowToWrite): void;
}

/** What a sink is to know of points besides them. */
export interface HowToWrite {
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** The points are events that sessions have numbered: each counts once, however often it comes. */
  readonly isNumbered: boolean;
}

/** Points that one invocation may write to Analytics Engine. */
const MAX_POINTS_PER_INVOCATION = 250;

/** One per isolate: requests share batches. */
const outbox = new Outbox();
const pointOutbox = new Outbox(MAX_POINTS_PER_INVOCATION);
const nowOutbox = new Outbox();

/** The sinks that the environment is set up for, as one; `undefined` where QoS goes nowhere. `now` is Unix ms. */
export function qosSink(env: Env, now: () => number): QosSink | undefined {
  const sinks = [storeSink(env, now), presentSink(env)].filter((sink) => sink !== undefined);
  return sinks.length === 0
    ? undefined
    : {
        write: (points, how) => {
          for (const sink of sinks) {
            sink.write(points, how);
          }
        },
      };
}

/** Tells the object that knows who watches now. */
function presentSink({ QOS_NOW }: Env): QosSink | undefined {
  if (QOS_NOW === undefined) {
    return undefined;
  }
  const send = async (lines: string): Promise<void> => {
    await post(QOS_NOW.getByName(NOW_NAME), `${NOW_ORIGIN}${NOW_PATH}`, { body: lines });
  };
  return {
    write: (points, { waitUntil }) => {
      const heard = points.map(heardOf).filter((one) => one !== undefined);
      nowOutbox.add(
        heard.map((one) => JSON.stringify(one)),
        { send, waitUntil },
      );
    },
  };
}

function storeSink(env: Env, now: () => number): QosSink | undefined {
  const { QOS, QOS_WRITER } = env;
  if (isSet(env.RILL_CLICKHOUSE_URL) && QOS_WRITER !== undefined) {
    const send = sendTo(QOS_WRITER, ROWS_PATH);
    return {
      write: (points, { waitUntil, isNumbered }) => {
        const timestamp = Math.floor(now() / 1000);
        const row = (point: QosPoint): string =>
          renderRowLine(keyOf(point, isNumbered), jsonRow(positional(point), timestamp));
        outbox.add(points.map(row), { send, waitUntil });
      },
    };
  }
  return QOS === undefined ? undefined : analyticsEngineSink(QOS, QOS_WRITER);
}

/** Points of requests, few in an invocation, are written at once; events go by the writer, which takes each once. */
function analyticsEngineSink(dataset: NonNullable<Env['QOS']>, writer: Env['QOS_WRITER']): QosSink {
  return {
    write: (points, { waitUntil, isNumbered }) => {
      if (writer !== undefined && (isNumbered || points.length > MAX_POINTS_PER_INVOCATION)) {
        const row = (point: QosPoint): string =>
          renderRowLine(keyOf(point, isNumbered), JSON.stringify(positional(point)));
        pointOutbox.add(points.map(row), { send: sendTo(writer, POINTS_PATH), waitUntil });
        return;
      }
      for (const point of points.slice(0, MAX_POINTS_PER_INVOCATION)) {
        dataset.writeDataPoint(positional(point));
      }
    },
  };
}

function keyOf({ session = '', seq = 0 }: QosPoint, isNumbered: boolean): EventKey | undefined {
  return isNumbered ? { session, seq } : undefined;
}

function sendTo(writer: NonNullable<Env['QOS_WRITER']>, path: string): OutboxRoute['send'] {
  return async (body, dropped) => {
    const headers = { [DROPPED_HEADER]: String(dropped) };
    await post(writer.getByName(WRITER_NAME), `${WRITER_ORIGIN}${path}`, { body, headers });
  };
}

async function post(
  object: Pick<Fetcher, 'fetch'>,
  address: string,
  content: { readonly body: string; readonly headers?: Record<string, string> },
): Promise<void> {
  const answer = await object.fetch(new Request(address, { method: 'POST', ...content }));
  await answer.body?.cancel();
  if (!answer.ok) {
    throw new Error(`${address} answered ${answer.status}`);
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
