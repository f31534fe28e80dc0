/** The embedded QoS engine of an instance: whether it can run here, and as which process. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { milliseconds } from '#shared/media-time.ts';
import type { ProcessPlan } from './supervised-process.ts';

const MAIN = fileURLToPath(new URL('../edge-worker/host/chdb-main.ts', import.meta.url));
/** It writes out what it still holds. */
const GRACE = milliseconds(5000);

/** Where the engine is and what opens it. */
export interface QosEngine {
  readonly port: number;
  readonly password: string;
}

/** Whether the optional package is installed. */
export function hasQosEngine(): boolean {
  try {
    import.meta.resolve('chdb');
    return true;
  } catch {
    return false;
  }
}

/** The edge's environment with an engine, or without one: its own, whatever the shell has set for another edge. */
export function qosEnvironment(engine: QosEngine | undefined): NodeJS.ProcessEnv {
  return {
    RILL_CLICKHOUSE_URL: engine === undefined ? '' : `http://127.0.0.1:${engine.port}`,
    RILL_CLICKHOUSE_USER: 'default',
    RILL_CLICKHOUSE_PASSWORD: engine?.password ?? '',
    RILL_CLICKHOUSE_DATABASE: 'default',
  };
}

/** The engine's process. */
export function qosEnginePlan(engine: QosEngine, dataDir: string): ProcessPlan {
  return {
    name: 'QoS engine',
    command: process.execPath,
    args: [MAIN],
    ipc: true,
    readiness: { kind: 'message' },
    grace: GRACE,
    env: {
      ...process.env,
      RILL_CHDB_FOLDER: path.join(path.resolve(dataDir), 'qos'),
      RILL_CHDB_PORT: String(engine.port),
      RILL_CLICKHOUSE_PASSWORD: engine.password,
    },
  };
}
