/** What is live on an instance, as its control API tells. */

import { z } from 'zod';
import { controlUrl, type Location } from './addresses.ts';
import { table } from './table.ts';
import { CommandError } from './terminal.ts';

/** The control API answers from memory. */
const ANSWER_LIMIT_MS = 5000;

const streamsSchema = z.object({
  streams: z.array(
    z.looseObject({
      stream: z.string(),
      protocol: z.string(),
      remoteAddress: z.string(),
      uptimeSeconds: z.number(),
      lastPartAgeSeconds: z.number().nullable(),
      renditions: z.array(z.looseObject({ name: z.string() })),
    }),
  ),
});
/** A live stream; the API's further fields are kept as they are. */
export type LiveStream = z.infer<typeof streamsSchema>['streams'][number];

/** Asks the control API. Throws a {@link CommandError} when it is not reached or refuses. */
export async function listStreams(location: Location, controlToken: string): Promise<readonly LiveStream[]> {
  const root = controlUrl(location);
  let response: Response;
  try {
    response = await fetch(`${root}/v1/streams`, {
      headers: { authorization: `Bearer ${controlToken}` },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
  } catch (error) {
    throw new CommandError(
      `no control API at ${root}: start the instance with "npm start", or name its port with --control-port`,
      { cause: error },
    );
  }
  if (!response.ok) {
    throw new CommandError(
      `the control API at ${root} answered ${response.status}: is it the instance of this --data-dir?`,
    );
  }
  const answer = streamsSchema.safeParse(await response.json());
  if (!answer.success) {
    throw new CommandError(`the control API at ${root} answered with something else than streams`);
  }
  return answer.data.streams;
}

/** One line a stream under a line of headings; a sentence when nothing is live. */
export function streamTable(streams: readonly LiveStream[]): string {
  if (streams.length === 0) {
    return 'no stream is live';
  }
  const rows = streams.map((one) => [
    one.stream,
    one.protocol,
    one.remoteAddress,
    uptime(one.uptimeSeconds),
    one.lastPartAgeSeconds === null ? '-' : `${one.lastPartAgeSeconds.toFixed(1)} s ago`,
    one.renditions.map(({ name }) => name).join(' ') || '-',
  ]);
  return table([['STREAM', 'PROTOCOL', 'FROM', 'LIVE FOR', 'LAST PART', 'RENDITIONS'], ...rows]);
}

function uptime(total: number): string {
  const [hours, minutes, rest] = [total / 3600, (total / 60) % 60, total % 60].map(Math.floor);
  return [hours, minutes, rest].map((value) => String(value).padStart(2, '0')).join(':');
}
