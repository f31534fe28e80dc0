/** A second origin beside the one of an instance: the same edge, storage and secrets, its own ports and data folder. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './live-client.ts';
import { listDescendants } from './process-usage.ts';
import { freePorts, type RillInstance } from './rill-instance.ts';

/** A running origin process. */
export interface FurtherOrigin {
  readonly process: ChildProcess;
  /** Everything that it has logged so far. */
  output(): string;
  /** The instance's publish URL with this origin's port. */
  publishUrl(stream: string, protocol: 'rtmp' | 'srt'): Promise<string>;
  /** Ends it, and its ffmpeg processes, at once. */
  kill(): Promise<void>;
}

/** Starts an origin with the environment of the instance's own, as an operator starts a second one. */
export async function startFurtherOrigin(rill: RillInstance): Promise<FurtherOrigin> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rill-origin-'));
  const [rtmp = 0, srt = 0, control = 0] = await freePorts(3);
  const child = spawn(process.execPath, ['origin/main.ts'], {
    env: {
      ...environmentOf(rill),
      RILL_RTMP_PORT: String(rtmp),
      RILL_SRT_PORT: String(srt),
      RILL_CONTROL_PORT: String(control),
      RILL_DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  await until('the further origin', async () =>
    (await fetch(`http://127.0.0.1:${control}/healthz`)).ok ? true : undefined,
  );
  return {
    process: child,
    output: () => output,
    publishUrl: async (stream, protocol) => {
      const port = protocol === 'rtmp' ? rtmp : srt;
      const own = await rill.rill('publish-url', stream, `--${protocol}`);
      return own.replace(`:${rill.ports[protocol]}`, `:${port}`);
    },
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What the instance's own origin was started with. */
function environmentOf(rill: RillInstance): NodeJS.ProcessEnv {
  const origin = listDescendants(rill.processId).find(({ command }) => command.includes('origin/main.ts'));
  if (origin === undefined) {
    throw new Error('the instance has no origin');
  }
  const lines = readFileSync(`/proc/${origin.processId}/environ`, 'utf8').split('\0');
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== '' && name !== 'NODE_CHANNEL_FD'));
}
