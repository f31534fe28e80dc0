/** What is live on an instance, as its control API tells. */

import { z } from 'zod';
import { askControl, type ControlAccess } from './control-client.ts';
import { table } from './table.ts';

const streamsSchema = z.object({
  streams: z.array(
    z.looseObject({
      stream: z.string(),
      protocol: z.string(),
      remoteAddress: z.string(),
      uptimeSeconds: z.number(),
      lastPartAgeSeconds: z.number().nullable(),
      renditions: z.array(z.looseObject({ name: z.string() })),
      input: z.looseObject({ bitrate: z.number(), frameRate: z.number().nullable() }).nullish(),
      degraded: z.array(z.looseObject({ reason: z.string() })).default([]),
    }),
  ),
});
/** A live stream; the API's further fields are kept as they are. */
export type LiveStream = z.infer<typeof streamsSchema>['streams'][number];

/** Asks the control API. Throws a `CommandError` when it is not reached or refuses. */
export async function listStreams(access: ControlAccess): Promise<readonly LiveStream[]> {
  const answer = await askControl(access, { method: 'GET', path: '/streams' }, streamsSchema);
  return answer.streams;
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
    one.input === null || one.input === undefined
      ? '-'
      : `${(one.input.bitrate / 1e6).toFixed(1)} Mbit/s ${one.input.frameRate ?? '-'} fps`,
    one.degraded.map(({ reason }) => reason).join(' ') || 'ok',
    one.renditions.map(({ name }) => name).join(' ') || '-',
  ]);
  return table([
    ['STREAM', 'PROTOCOL', 'FROM', 'LIVE FOR', 'LAST PART', 'INPUT', 'HEALTH', 'RENDITIONS'],
    ...rows,
  ]);
}

function uptime(total: number): string {
  const [hours, minutes, rest] = [total / 3600, (total / 60) % 60, total % 60].map(Math.floor);
  return [hours, minutes, rest].map((value) => String(value).padStart(2, '0')).join(':');
}
