/**
 * Runs the embedded QoS engine as a process of its own: settings from the environment, readiness as an IPC message
 * to the parent. Ends on SIGTERM and SIGINT, and when its parent goes.
 */

import { writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { z } from 'zod';
import { startChdbServer } from './chdb-server.ts';

const STDERR = 2;
const environmentSchema = z.object({
  RILL_CHDB_FOLDER: z.string().min(1),
  RILL_CHDB_PORT: z.coerce.number().int().min(0).max(65_535),
  RILL_CLICKHOUSE_PASSWORD: z.string().min(1),
});

await run();

async function run(): Promise<void> {
  // What answers questions waits for what plays: also the engine's threads, which inherit this from the one here.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  try {
    const settings = environmentSchema.parse(process.env);
    const server = await startChdbServer({
      folder: settings.RILL_CHDB_FOLDER,
      port: settings.RILL_CHDB_PORT,
      password: settings.RILL_CLICKHOUSE_PASSWORD,
    });
    const end = (): void => {
      void server.close().finally(() => process.exit(0));
    };
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
      process.once(event, end);
    }
    process.send?.({ kind: 'ready', port: server.port });
  } catch (error) {
    writeSync(STDERR, `rill qos engine: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
