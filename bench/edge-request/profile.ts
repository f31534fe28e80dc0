/** Where a Worker's time goes: V8's sampling profiler over workerd's inspector. */

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const SAMPLING_MICROSECONDS = 200;
/** Name of the edge's Worker among the inspector's targets. */
const TARGET = /core:user:(?!.*-pages)/;

const targetsSchema = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }));
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
});
const replySchema = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** A function and its share of the samples, 0 to 1, what it calls not counted. */
export interface ProfiledFunction {
  readonly name: string;
  readonly share: number;
}

/** Samples the Worker behind an inspector's port while `work` runs; idle time is left out. */
export async function profileWorker(
  inspectorPort: number,
  work: () => Promise<unknown>,
): Promise<readonly ProfiledFunction[]> {
  const list = await fetch(`http://127.0.0.1:${inspectorPort}/json`);
  const target = targetsSchema.parse(await list.json()).find(({ id }) => TARGET.test(id));
  if (target === undefined) {
    throw new Error('the inspector names no Worker of the edge');
  }
  const session = await openSession(target.webSocketDebuggerUrl);
  try {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
    await session.send('Profiler.start');
    await Promise.all([work(), sleep(0)]);
    const stopped = z.object({ profile: profileSchema }).parse(await session.send('Profiler.stop'));
    return selfTimes(stopped.profile);
  } finally {
    session.close();
  }
}

interface InspectorSession {
  send(method: string, params?: object): Promise<unknown>;
  close(): void;
}

async function openSession(url: string): Promise<InspectorSession> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
  });
  socket.addEventListener('message', ({ data }) => {
    const reply = replySchema.parse(JSON.parse(String(data)));
    const waiter = waiting.get(reply.id ?? 0);
    if (reply.error === undefined) {
      waiter?.resolve(reply.result);
    } else {
      waiter?.reject(new Error(reply.error.message));
    }
  });
  let last = 0;
  return {
    send: (method, params = {}) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}

function selfTimes(profile: z.infer<typeof profileSchema>): readonly ProfiledFunction[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const counts = new Map<string, number>();
  for (const sample of profile.samples) {
    const name = names.get(sample) ?? '(unknown)';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  counts.delete('(idle)');
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts]
    .map(([name, count]) => ({ name, share: count / total }))
    .sort((a, b) => b.share - a.share);
}

/** A function without a name is told by its line in the bundled module; the runtime's own have no module. */
function nameOf(callFrame: z.infer<typeof profileSchema>['nodes'][number]['callFrame']): string {
  const { functionName, url, lineNumber } = callFrame;
  if (functionName === '' && url === '') {
    return '(the runtime: properties and methods of its objects)';
  }
  return functionName === '' ? `(anonymous, ${url.split('/').at(-1)}:${lineNumber + 1})` : functionName;
}
