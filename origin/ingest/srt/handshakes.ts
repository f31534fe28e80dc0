/** Decides on SRT handshakes and keeps what was admitted until the connection is accepted. */

import type { Log } from '../../log.ts';
import type { Admission, IngestGate } from '../media-feed.ts';
import type { Handshake } from './libsrt.ts';
import { RejectionLog } from './rejection-log.ts';
import { REJECT_INTERNAL, rejectionCode } from './rejection.ts';
import { renderEndpoint } from './socket-address.ts';
import type { SrtSocket } from './srt-constants.ts';
import { parseStreamId } from './stream-id.ts';

/** An admitted caller whose handshake is not finished yet. */
export interface AdmittedCaller {
  readonly admission: Admission;
  readonly remoteAddress: string;
}

interface Pending extends AdmittedCaller {
  readonly since: number;
}

/** Handshakes under way. */
export class Handshakes {
  readonly #gate: IngestGate;
  readonly #log: Log;
  readonly #rejections: RejectionLog;
  readonly #now: () => number;
  readonly #isGone: (socket: SrtSocket) => boolean;
  readonly #limitMs: number;
  readonly #pending = new Map<SrtSocket, Pending>();

  constructor(options: {
    readonly gate: IngestGate;
    readonly log: Log;
    readonly now: () => number;
    /** Tells whether libsrt has given a socket up. */
    readonly isGone: (socket: SrtSocket) => boolean;
    readonly limitMs: number;
  }) {
    this.#gate = options.gate;
    this.#log = options.log;
    this.#rejections = new RejectionLog(options.log, options.now);
    this.#now = options.now;
    this.#isGone = options.isGone;
    this.#limitMs = options.limitMs;
  }

  /** Admits a caller (`undefined`) or answers the code to reject it with; never throws, since C calls it. */
  decide(handshake: Handshake): number | undefined {
    try {
      return this.#decide(handshake);
    } catch (error) {
      this.#log.error({ err: error }, 'SRT handshake failed in the listener');
      return REJECT_INTERNAL;
    }
  }

  #decide(handshake: Handshake): number | undefined {
    this.sweep();
    const remoteAddress = handshake.peer === undefined ? 'unknown' : renderEndpoint(handshake.peer);
    const request = parseStreamId(handshake.streamId);
    const outcome = request.ok
      ? this.#gate.admit({ protocol: 'srt', ...request.value, remoteAddress })
      : request;
    if (!outcome.ok) {
      const { reason, detail } = outcome.failure;
      const code = rejectionCode(outcome.failure);
      this.#rejections.add({ remoteAddress, reason, detail, code });
      return code;
    }
    this.#pending.set(handshake.socket, { admission: outcome.value, remoteAddress, since: this.#now() });
    return undefined;
  }

  /** Takes an accepted socket's admission. */
  take(socket: SrtSocket): AdmittedCaller | undefined {
    const pending = this.#pending.get(socket);
    this.#pending.delete(socket);
    return pending;
  }

  /** Releases admissions whose handshake failed behind our back (say, over encryption) or takes too long. */
  sweep(): void {
    this.#rejections.flush();
    for (const [socket, pending] of this.#pending) {
      if (this.#isGone(socket) || this.#now() - pending.since >= this.#limitMs) {
        this.#pending.delete(socket);
        pending.admission.release();
      }
    }
  }

  /** Releases all. */
  clear(): void {
    for (const pending of this.#pending.values()) {
      pending.admission.release();
    }
    this.#pending.clear();
  }
}
