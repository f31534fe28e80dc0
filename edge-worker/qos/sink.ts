/** Where points go: Analytics Engine by its binding, or ClickHouse and chDB through the writer. Writing never fails a request. */

import { jsonRow, positional, type QosPoint } from '../../shared/qos/schema.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { Outbox } from './outbox.ts';
import { heardOf } from './now/live-sessions.ts';
import { NOW_NAME, NOW_ORIGIN, NOW_PATH } from './now/now-address.ts';
import { WRITER_NAME, POINTS_PATH, ROWS_PATH, WRITER_ORIGIN } from './writer-address.ts';

/** Takes points, at once and for good. */
export interface QosSink {
  /** Returns at once; what is left to do goes on in `waitUntil`. */
  write(points: readonly QosPoint[], waitUntil: (work: Promise<unknown>) => void): void;
}

/** Points that one invocation may write to Analytics Engine. */
export const MAX_POINTS_PER_INVOCATION = 250;

/** One per isolate: requests share batches. */
const outbox = new Outbox();

const nowOutbox = new Outbox();

/** The sinks that the environment is set up for, as one; `undefined` where QoS goes nowhere. `now` is Unix ms. */
export function qosSink(env: Env, now: () => number): QosSink | undefined {
  const sinks = [storeSink(env, now), presentSink(env)].filter((sink) => sink !== undefined);
  return sinks.length === 0
    ? undefined
    : {
        write: (points, waitUntil) => {
          for (const sink of sinks) {
            sink.write(points, waitUntil);
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
    await post(QOS_NOW.getByName(NOW_NAME), `${NOW_ORIGIN}${NOW_PATH}`, lines);
  };
  return {
    write: (points, waitUntil) => {
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
    const send = async (rows: string): Promise<void> => {
      await post(QOS_WRITER.getByName(WRITER_NAME), `${WRITER_ORIGIN}${ROWS_PATH}`, rows);
    };
    return {
      write: (points, waitUntil) => {
        const timestamp = Math.floor(now() / 1000);
        const rows = points.map((point) => jsonRow(positional(point), timestamp));
        outbox.add(rows, { send, waitUntil });
      },
    };
  }
  return QOS === undefined ? undefined : analyticsEngineSink(QOS, QOS_WRITER);
}

/** What is over an invocation's limit is written by invocations of the writer, a batch each. */
function analyticsEngineSink(dataset: NonNullable<Env['QOS']>, writer: Env['QOS_WRITER']): QosSink {
  return {
    write: (points, waitUntil) => {
      const [first = [], ...more] = batches(points);
      for (const point of first) {
        dataset.writeDataPoint(positional(point));
      }
      for (const batch of more) {
        const body = JSON.stringify(batch.map((point) => positional(point)));
        waitUntil(
          (writer === undefined
            ? Promise.reject(new Error('no QOS_WRITER'))
            : post(writer.getByName(WRITER_NAME), `${WRITER_ORIGIN}${POINTS_PATH}`, body)
          ).catch((error: unknown) => {
            logEvent('warn', 'qos-points-lost', { points: batch.length, cause: describeError(error) });
          }),
        );
      }
    },
  };
}

function batches(points: readonly QosPoint[]): readonly (readonly QosPoint[])[] {
  const count = Math.ceil(points.length / MAX_POINTS_PER_INVOCATION);
  return Array.from({ length: count }, (_, index) =>
    points.slice(index * MAX_POINTS_PER_INVOCATION, (index + 1) * MAX_POINTS_PER_INVOCATION),
  );
}

async function post(object: Pick<Fetcher, 'fetch'>, address: string, body: string): Promise<void> {
  const answer = await object.fetch(new Request(address, { method: 'POST', body }));
  await answer.body?.cancel();
  if (!answer.ok) {
    throw new Error(`${address} answered ${answer.status}`);
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
