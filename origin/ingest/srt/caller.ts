/** One call of an encoder that listens: from its name to a connected socket, without holding up the event loop. */

import { lookup } from 'node:dns/promises';
import { fail, ok, type Result } from '#shared/result.ts';
import { pause } from '../../backoff.ts';
import { applyStreamSettings } from './encryption.ts';
import type { LibSrt } from './libsrt.ts';
import type { SrtLimits } from './limits.ts';
import type { PullAddress } from './pull-address.ts';
import { describeHandshakeFailure } from './rejection.ts';
import type { SrtStreamSettings } from './settings.ts';
import {
  SRTO_CONNTIMEO,
  SRTO_PEERIDLETIMEO,
  SRTO_RCVLATENCY,
  SRTO_RCVSYN,
  SRTO_SNDSYN,
  SRTO_STREAMID,
  type SrtSocket,
} from './srt-constants.ts';

/** A call to make. */
export interface Call {
  readonly lib: LibSrt;
  readonly address: PullAddress;
  readonly settings: SrtStreamSettings;
  /** The origin's own, where the stream has none. */
  readonly latencyMs: number;
  readonly limits: SrtLimits;
  /** Ends the call. */
  readonly signal: AbortSignal;
}

/** Why a call came to nothing: a sentence that names what to look at, without secrets. */
export interface CallFailure {
  readonly reason: 'call-failed';
  readonly detail: string;
}

/** Pause between looks at a socket that is connecting, milliseconds: little beside a round trip. */
const LOOK_MILLISECONDS = 20;

/** Calls. Throws {@link SrtCallError}. */
export async function call(options: Call): Promise<Result<SrtSocket, CallFailure>> {
  const { lib, address, signal } = options;
  let host: string;
  try {
    host = (await lookup(address.host)).address;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    return callFailed(`the name ${address.host} cannot be resolved (${code})`);
  }
  const socket = lib.createSocket();
  try {
    setOptions(options, socket);
    lib.connect(socket, { host, port: address.port });
    while (!lib.isConnected(socket) && !lib.isGone(socket) && !signal.aborted) {
      await pause(LOOK_MILLISECONDS, signal);
    }
    if (lib.isConnected(socket) && !signal.aborted) {
      return ok(socket);
    }
    const failure = signal.aborted ? 'ended' : describeHandshakeFailure(lib.rejectReason(socket));
    await lib.close(socket);
    return callFailed(failure);
  } catch (error) {
    await lib.close(socket);
    throw error;
  }
}

function setOptions({ lib, address, settings, latencyMs, limits }: Call, socket: SrtSocket): void {
  lib.setOption(socket, SRTO_RCVSYN, 0);
  lib.setOption(socket, SRTO_SNDSYN, 0);
  lib.setOption(socket, SRTO_RCVLATENCY, latencyMs);
  lib.setOption(socket, SRTO_PEERIDLETIMEO, limits.peerIdleMs);
  lib.setOption(socket, SRTO_CONNTIMEO, limits.connectMs);
  if (address.streamId !== undefined) {
    lib.setText(socket, SRTO_STREAMID, address.streamId);
  }
  applyStreamSettings(lib, socket, settings);
}

function callFailed(detail: string): Result<never, CallFailure> {
  return fail({ reason: 'call-failed', detail });
}
