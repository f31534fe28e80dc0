/** The self-hosted edge as its container runs it, and a stream on it. */

import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { z } from 'zod';
import { parseStreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import { signPlayToken } from '../../cli/play-token.ts';
import { RENDITION, ScriptedOrigin } from '../../test/support/scripted-origin.ts';
import { startPinned, type PinnedProcess } from './pinned-process.ts';

const HOST = join(import.meta.dirname, '../../edge-worker/host/main.ts');
const STREAM = 'show';
const TOKEN_SECONDS = 3_600;
const SECRETS = {
  RILL_PLAY_SECRET: 'a playback secret for benches that is long enough',
  RILL_SERVICE_TOKEN: 'service-token-for-benches',
  RILL_S3_ACCESS_KEY_ID: 'access-key-id',
  RILL_S3_SECRET_ACCESS_KEY: 'secret-access-key',
};
const readySchema = z.object({ kind: z.literal('ready'), url: z.url() });

/** A running edge with one stream that has begun. */
export interface RillEdge {
  readonly process: PinnedProcess;
  readonly origin: ScriptedOrigin;
  /** Scheme, host and port. */
  readonly url: string;
  /** Path of a playlist or media file of the rendition, with a token that opens it in DE and AT. */
  path(file: string): string;
}

/** Starts an edge on one core; 0 MiB of cache leaves the cache out. */
export async function startRillEdge(options: {
  readonly core: number;
  readonly dataDir: string;
  readonly cacheMib: number;
  /** Port of V8's inspector, for a profile. */
  readonly inspectorPort?: number;
}): Promise<RillEdge> {
  const started = startPinned(options.core, [process.execPath, HOST], {
    ...SECRETS,
    RILL_EDGE_PORT: '0',
    RILL_DATA_DIR: options.dataDir,
    RILL_CACHE_MIB: String(options.cacheMib),
    RILL_CF: '{"country":"DE"}',
    RILL_LOG_LEVEL: 'error',
    ...(options.inspectorPort === undefined ? {} : { RILL_INSPECTOR_PORT: String(options.inspectorPort) }),
  });
  const url = await untilReady(started);
  const origin = new ScriptedOrigin({
    edgeUrl: url,
    serviceToken: SECRETS.RILL_SERVICE_TOKEN,
    stream: STREAM,
  });
  await origin.begin();
  const token = await playToken();
  return {
    process: started,
    origin,
    url,
    path: (file) => `/t/${token}/live/${STREAM}/${RENDITION}/${file}`,
  };
}

async function untilReady({ child }: PinnedProcess): Promise<string> {
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      const ready = readySchema.safeParse(parseJson(line));
      if (ready.success) {
        // Whatever it prints later is read, so that it never waits for a full pipe.
        child.stdout.resume();
        return ready.data.url;
      }
    }
  }
  throw new Error('the edge host ended before it was ready: see its output above');
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function playToken(): Promise<string> {
  const stream = parseStreamName(STREAM);
  if (!stream.ok) {
    throw new Error('no stream name');
  }
  const countries = ['DE', 'AT'];
  const request = { stream: stream.value, ttl: seconds(TOKEN_SECONDS), now: Date.now() / 1000, countries };
  return signPlayToken(request, SECRETS.RILL_PLAY_SECRET);
}
