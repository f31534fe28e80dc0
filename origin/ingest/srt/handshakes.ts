/** Decides on SRT handshakes and keeps what was admitted until the connection is accepted. */

import type { StreamName } from '#shared/identifiers.ts';
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

/** What handshakes are decided with. */
export interface HandshakeOptions {
  readonly gate: IngestGate;
  readonly log: Log;
  readonly now: () => number;
  /** Gives an admitted caller's socket what its stream asks for, its passphrase above all. */
  readonly prepare: (socket: SrtSocket, stream: StreamName) => void;
  /** Tells whether libsrt has given a socket up. */
  readonly isGone: (socket: SrtSocket) => boolean;
  /** What may have been wrong where libsrt itself refuses a caller of this stream. */
  readonly explainDrop: (stream: StreamName) => string;
  readonly limitMs: number;
}

/** Handshakes under way. */
export class Handshakes {
  readonly #options: HandshakeOptions;
  readonly #rejections: RejectionLog;
  readonly #pending = new Map<SrtSocket, Pending>();

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#rejections = new RejectionLog(options.log, options.now);
  }

  /** Admits a caller (`undefined`) or answers the code to reject it with; never throws, since C calls it. */
  decide(handshake: Handshake): number | undefined {
    try {
      return this.#decide(handshake);
    } catch (error) {
      this.#options.log.error({ err: error }, 'SRT handshake failed in the listener');
      return REJECT_INTERNAL;
    }
  }

  #decide(handshake: Handshake): number | undefined {
    this.sweep();
    const remoteAddress = handshake.peer === undefined ? 'unknown' : renderEndpoint(handshake.peer);
    const request = parseStreamId(handshake.streamId);
    const outcome = request.ok
      ? this.#options.gate.admit({ protocol: 'srt', ...request.value, remoteAddress })
      : request;
    if (!outcome.ok) {
      const { reason, detail } = outcome.failure;
      const code = rejectionCode(outcome.failure);
      this.#rejections.add({ remoteAddress, reason, detail, code });
      return code;
    }
    const admission = outcome.value;
    try {
      this.#options.prepare(handshake.socket, admission.stream);
    } catch (error) {
      admission.release();
      throw error;
    }
    this.#pending.set(handshake.socket, { admission, remoteAddress, since: this.#options.now() });
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
    const { isGone, now, limitMs, explainDrop } = this.#options;
    this.#rejections.flush();
    for (const [socket, { admission, remoteAddress, since }] of this.#pending) {
      const dropped = isGone(socket);
      if (dropped || now() - since >= limitMs) {
        this.#pending.delete(socket);
        admission.release();
        const { stream } = admission;
        const detail = dropped ? explainDrop(stream) : 'the caller did not finish its handshake';
        this.#rejections.add({ remoteAddress, stream, reason: 'handshake-failed', detail, code: undefined });
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
