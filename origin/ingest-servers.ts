/** The ports that encoders reach: RTMP, RTMPS where it is set up, SRT where libsrt is there. */

import type { ControlPlane } from './control/control-plane.ts';
import { protectIngest } from './ingest/protection/protection.ts';
import { startRtmpServer } from './ingest/rtmp/rtmp-server.ts';
import { startRtmpsServer } from './ingest/rtmp/rtmps-server.ts';
import { SrtUnavailableError } from './ingest/srt/srt-error.ts';
import { startSrtServer, type SrtServer, type SrtServerOptions } from './ingest/srt/srt-server.ts';
import type { StreamGate } from './ingest/stream-gate.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import type { Ladder } from './transcode/ladder.ts';

/** Servers that take feeds. */
export interface IngestServers {
  readonly ports: { readonly rtmp: number; readonly rtmps?: number; readonly srt?: number };
  /** `undefined`: there is no libsrt, which the log says. */
  readonly srt: SrtServer | undefined;
  /** Ends every feed and frees the ports. */
  close(): Promise<void>;
}

/** Starts them; throws where a port is taken. */
export async function startIngestServers(
  config: Settings<Ladder>,
  { gate, control, log }: { readonly gate: StreamGate; readonly control: ControlPlane; readonly log: Log },
): Promise<IngestServers> {
  const { host, ports, srtLatency } = config;
  const ingest = protectIngest(gate, config.ingestLimits, log.child({ part: 'ingest' }));
  const rtmp = await startRtmpServer({
    ...{ host, port: ports.rtmp },
    ...ingest,
    log: log.child({ part: 'rtmp' }),
  });
  const rtmps =
    config.rtmps &&
    (await startRtmpsServer({ host, ...config.rtmps, ...ingest, log: log.child({ part: 'rtmps' }) }));
  const srt = await startSrt({
    ...{ host, port: ports.srt, gate: ingest.gate, latencyMs: srtLatency },
    settingsOf: (stream) => control.srtOf(stream),
    log: log.child({ part: 'srt' }),
  });
  return {
    ports: {
      rtmp: rtmp.port,
      ...(rtmps === undefined ? {} : { rtmps: rtmps.port }),
      ...(srt === undefined ? {} : { srt: srt.port }),
    },
    srt,
    close: async () => {
      await Promise.all([rtmp.close(), rtmps?.close(), srt?.close()]);
    },
  };
}

/** Starts SRT, or says once why there is none: RTMP works without it. */
async function startSrt(options: SrtServerOptions): Promise<SrtServer | undefined> {
  try {
    return await startSrtServer(options);
  } catch (error) {
    if (error instanceof SrtUnavailableError) {
      options.log.warn(error.message);
      return undefined;
    }
    throw error;
  }
}
