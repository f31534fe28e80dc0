/** The embedded engine as `npm start` runs it: a process of its own, which can be ended and started again. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../test/support/rill-instance.ts';

const MAIN = join(import.meta.dirname, '../../edge-worker/host/chdb-main.ts');
const PASSWORD = 'engine-password-of-a-bench';

/** An engine on a port of its own. */
export class EngineProcess {
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Makes a folder and a port for an engine; {@link start} starts it. */
  static async prepare(): Promise<EngineProcess> {
    const [port = 0] = await freePorts(1);
    return new EngineProcess(await mkdtemp(join(tmpdir(), 'rill-engine-')), port);
  }

  /** What the edge needs to write to it. */
  get variables(): Readonly<Record<string, string>> {
    return {
      RILL_CLICKHOUSE_URL: `http://127.0.0.1:${this.#port}`,
      RILL_CLICKHOUSE_PASSWORD: PASSWORD,
    };
  }

  /** Its process, 0 before the first start. */
  get processId(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        RILL_CHDB_FOLDER: this.#folder,
        RILL_CHDB_PORT: String(this.#port),
        RILL_CLICKHOUSE_PASSWORD: PASSWORD,
      },
    });
    this.#child = child;
    await once(child, 'message');
  }

  /** Resolves when it is gone; its data stays. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }

  /** Removes its data as well. */
  async close(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
