/** libsrt as ingest uses it: C conventions end here, failures throw {@link SrtCallError}. */

import {
  loadLibSrtFunctions,
  readMemory,
  registerListenHook,
  unregisterListenHook,
  type LibSrtFunctions,
} from './libsrt-functions.ts';
import {
  decodeSocketAddress,
  encodeSocketAddress,
  SOCKET_ADDRESS_BYTES,
  type Endpoint,
} from './socket-address.ts';
import {
  SRT_EASYNCRCV,
  SRT_ERROR,
  SRT_LOG_CRITICAL,
  SRTS_BROKEN,
  SRTS_CONNECTED,
  type SrtSocket,
} from './srt-constants.ts';
import { SrtCallError } from './srt-error.ts';
import { parseTrace, TRACE_BYTES, type TraceReading } from './statistics.ts';

/** A caller in the midst of its handshake. */
export interface Handshake {
  readonly socket: SrtSocket;
  readonly peer: Endpoint | undefined;
  readonly streamId: string;
}

/** Connections that may wait for `srt_accept`; they are taken within one turn of the event loop. */
const BACKLOG = 128;
const INT_BYTES = 4;
const EMPTY_PEER: Endpoint = { host: 'unknown', port: 0 };

/** Calls into libsrt, which is started and ended with the object's user. */
export class LibSrt {
  readonly #srt: LibSrtFunctions;
  readonly #errno = Buffer.alloc(INT_BYTES);
  readonly #trace = Buffer.alloc(TRACE_BYTES);

  private constructor(functions: LibSrtFunctions) {
    this.#srt = functions;
  }

  /** Loads and starts libsrt. Throws {@link SrtUnavailableError} where there is none. */
  static start(): LibSrt {
    const lib = new LibSrt(loadLibSrtFunctions());
    lib.#check('srt_startup', lib.#srt.startup());
    lib.#srt.setloglevel(SRT_LOG_CRITICAL);
    return lib;
  }

  /** The C functions, for calls off the event loop. */
  get functions(): LibSrtFunctions {
    return this.#srt;
  }

  /** Ends libsrt's threads once its last user has stopped. */
  async stop(): Promise<void> {
    await this.#srt.cleanup();
  }

  createSocket(): SrtSocket {
    return this.#check('srt_create_socket', this.#srt.create_socket());
  }

  /** Sets an integer or boolean option. */
  setOption(socket: SrtSocket, option: number, value: number): void {
    this.#check('srt_setsockflag', this.#srt.setsockflag(socket, option, integer(value), INT_BYTES));
  }

  /** Sets a text option. */
  setText(socket: SrtSocket, option: number, text: string): void {
    const bytes = Buffer.from(text);
    this.#check('srt_setsockflag', this.#srt.setsockflag(socket, option, bytes, bytes.length));
  }

  /** Reads an integer option. */
  getOption(socket: SrtSocket, option: number): number {
    const value = Buffer.alloc(INT_BYTES);
    this.#check('srt_getsockflag', this.#srt.getsockflag(socket, option, value, integer(INT_BYTES)));
    return value.readInt32LE();
  }

  /** Begins to call; a socket that does not block is connected or broken some time later. */
  connect(socket: SrtSocket, endpoint: Endpoint): void {
    const address = encodeSocketAddress(endpoint, process.platform);
    this.#check('srt_connect', this.#srt.connect(socket, address, address.length));
  }

  isConnected(socket: SrtSocket): boolean {
    return this.#srt.getsockstate(socket) === SRTS_CONNECTED;
  }

  /** Why a handshake failed: below 1000 libsrt's own reason (enum SRT_REJECT_REASON), else the peer's code. */
  rejectReason(socket: SrtSocket): number {
    return this.#srt.getrejectreason(socket);
  }

  bind(socket: SrtSocket, endpoint: Endpoint): void {
    const address = encodeSocketAddress(endpoint, process.platform);
    this.#check('srt_bind', this.#srt.bind(socket, address, address.length));
  }

  /** Listens; `hook` is asked about every handshake and answers `undefined` or a rejection code. Returns its release. */
  listen(socket: SrtSocket, hook: (handshake: Handshake) => number | undefined): () => void {
    const pointer = registerListenHook((_opaque, caller, _version, peer, streamId) => {
      const address = decodeSocketAddress(readMemory(peer, SOCKET_ADDRESS_BYTES), process.platform);
      const code = hook({ socket: caller, peer: address, streamId: streamId ?? '' });
      if (code === undefined) {
        return 0;
      }
      this.#srt.setrejectreason(caller, code);
      return SRT_ERROR;
    });
    this.#check('srt_listen_callback', this.#srt.listen_callback(socket, pointer, null));
    this.#check('srt_listen', this.#srt.listen(socket, BACKLOG));
    return () => unregisterListenHook(pointer);
  }

  /** Takes the next finished handshake, or `undefined` where none waits. */
  accept(listener: SrtSocket): SrtSocket | undefined {
    const socket = this.#srt.accept(listener, null, null);
    return socket === SRT_ERROR ? undefined : socket;
  }

  localEndpoint(socket: SrtSocket): Endpoint {
    const address = Buffer.alloc(SOCKET_ADDRESS_BYTES);
    this.#check('srt_getsockname', this.#srt.getsockname(socket, address, integer(address.length)));
    return decodeSocketAddress(address, process.platform) ?? EMPTY_PEER;
  }

  /** Receives one message into `buffer`; returns its bytes, or `undefined` where none waits, or `lost`. */
  receive(socket: SrtSocket, buffer: Uint8Array): number | undefined | 'lost' {
    const bytes = this.#srt.recvmsg(socket, buffer, buffer.length);
    if (bytes !== SRT_ERROR) {
      return bytes === 0 ? 'lost' : bytes;
    }
    const code = this.#srt.getlasterror(this.#errno);
    return code === SRT_EASYNCRCV ? undefined : 'lost';
  }

  /** Tells whether nothing will come from a socket any more. */
  isGone(socket: SrtSocket): boolean {
    return this.#srt.getsockstate(socket) >= SRTS_BROKEN;
  }

  /** Reads a connection's statistics, or `undefined` where it is gone. */
  trace(socket: SrtSocket): TraceReading | undefined {
    return this.#srt.bistats(socket, this.#trace, 1, 1) === SRT_ERROR ? undefined : parseTrace(this.#trace);
  }

  /** Closes a socket off the event loop: libsrt may wait there for a handshake that waits for our hook. */
  async close(socket: SrtSocket): Promise<void> {
    await this.#srt.close(socket);
  }

  #check(call: string, result: number): number {
    if (result !== SRT_ERROR) {
      return result;
    }
    const code = this.#srt.getlasterror(this.#errno);
    throw new SrtCallError(call, {
      code,
      errno: this.#errno.readInt32LE(),
      text: this.#srt.getlasterror_str(),
    });
  }
}

function integer(value: number): Uint8Array {
  const bytes = Buffer.alloc(INT_BYTES);
  bytes.writeInt32LE(value);
  return bytes;
}
