/** A whole Rill, started as its user starts it, on free ports and a data folder of its own. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;
const POLL_MS = 100;

/** Addresses and tools of a running instance. */
export interface RillInstance {
  readonly edgeUrl: string;
  readonly ports: {
    readonly edge: number;
    readonly rtmp: number;
    readonly srt: number;
    readonly control: number;
  };
  readonly dataDir: string;
  readonly processId: number;
  /** Everything that the instance has printed so far. */
  output(): string;
  /** Runs `rill <command>` against this instance and returns its standard output, trimmed. */
  rill(...command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts an instance without its demo source; `config` is the origin's configuration, `environment` comes on top of
 * this process's own.
 */
export async function startRill(
  config: object = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<RillInstance> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rill-test-'));
  const configFile = join(dataDir, 'config.json');
  await writeFile(configFile, JSON.stringify(config));
  const [edge, rtmp, srt, control] = await freePorts(4);
  const ports = { edge: edge ?? 0, rtmp: rtmp ?? 0, srt: srt ?? 0, control: control ?? 0 };
  const flags = [
    ...[
      '--edge-port',
      String(ports.edge),
      '--rtmp-port',
      String(ports.rtmp),
      '--srt-port',
      String(ports.srt),
    ],
    ...['--control-port', String(ports.control), '--data-dir', dataDir],
  ];
  const child = spawn(process.execPath, ['cli/start.ts', '--no-demo', '--config', configFile, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const edgeUrl = `http://127.0.0.1:${ports.edge}`;
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isReady(edgeUrl, ports.control))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Rill did not start:\n${output}`);
    }
    await sleep(POLL_MS);
  }
  return {
    edgeUrl,
    ports,
    dataDir,
    processId: child.pid ?? 0,
    output: () => output,
    rill: async (...command) => {
      const { stdout } = await run(process.execPath, ['cli/rill.ts', ...command, '--data-dir', dataDir]);
      return stdout.trim();
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await Promise.race([exited, sleep(STOP_LIMIT_MS)]);
      }
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function isReady(edgeUrl: string, controlPort: number): Promise<boolean> {
  const answers = await Promise.all(
    [`${edgeUrl}/healthz`, `http://127.0.0.1:${controlPort}/healthz`].map((url) =>
      fetch(url).then(
        (response) => response.ok,
        () => false,
      ),
    ),
  );
  return answers.every(Boolean);
}

/** Finds ports that nobody listens on; they stay reserved only until this returns. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}
