/** Finds the system's libsrt and declares the functions of its C interface (`srt.h`, version 1.5). */

import koffi, { type LibraryHandle } from 'koffi';
import { SrtUnavailableError } from './srt-error.ts';

/** Names under which systems install libsrt 1.5, in the order of trial: Debian, Fedora and others, Homebrew. */
const LIBRARY_NAMES = [
  'libsrt-gnutls.so.1.5',
  'libsrt-openssl.so.1.5',
  'libsrt.so.1.5',
  'libsrt.dylib',
  '/opt/homebrew/lib/libsrt.dylib',
  '/usr/local/lib/libsrt.dylib',
];

type KoffiFunction = ReturnType<LibraryHandle['func']>;

/** Called by libsrt for a handshake: opaque, socket, handshake version, peer's sockaddr, stream id; -1 rejects. */
export type ListenHook = (
  opaque: unknown,
  socket: number,
  handshakeVersion: number,
  peer: bigint,
  streamId: string | null,
) => number;

/** The C functions in use, without their prefix; `Promise` ones run on a thread of libuv's pool. */
export interface LibSrtFunctions {
  startup(): number;
  cleanup(): Promise<number>;
  setloglevel(level: number): void;
  create_socket(): number;
  setsockflag(socket: number, option: number, value: Uint8Array, bytes: number): number;
  getsockflag(socket: number, option: number, value: Uint8Array, bytes: Uint8Array): number;
  connect(socket: number, address: Uint8Array, bytes: number): number;
  getrejectreason(socket: number): number;
  bind(socket: number, address: Uint8Array, bytes: number): number;
  listen(socket: number, backlog: number): number;
  listen_callback(listener: number, hook: bigint, opaque: null): number;
  accept(listener: number, address: null, bytes: null): number;
  getsockname(socket: number, address: Uint8Array, bytes: Uint8Array): number;
  getsockstate(socket: number): number;
  setrejectreason(socket: number, code: number): number;
  recvmsg(socket: number, buffer: Uint8Array, bytes: number): number;
  bistats(socket: number, trace: Uint8Array, clear: number, instantaneous: number): number;
  close(socket: number): Promise<number>;
  getlasterror(systemErrno: Uint8Array): number;
  getlasterror_str(): string;
  epoll_create(): number;
  epoll_set(epoll: number, flags: number): number;
  epoll_add_usock(epoll: number, socket: number, events: Uint8Array): number;
  epoll_remove_usock(epoll: number, socket: number): number;
  epoll_uwait(epoll: number, events: unknown, count: number, timeoutMs: number): Promise<number>;
  epoll_release(epoll: number): number;
}

/** Loads libsrt. Throws {@link SrtUnavailableError}. */
export function loadLibSrtFunctions(names: readonly string[] = LIBRARY_NAMES): LibSrtFunctions {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      return declareFunctions(koffi.load(name));
    } catch (error) {
      failures.push(error);
    }
  }
  throw new SrtUnavailableError(new AggregateError(failures));
}

const LISTEN_HOOK = koffi.proto('int', ['void *', 'int', 'int', 'void *', 'str']);

/** Makes a JavaScript function callable from libsrt's threads; it runs on the main thread, which must be free. */
export function registerListenHook(hook: ListenHook): bigint {
  return koffi.register(hook, koffi.pointer(LISTEN_HOOK));
}

/** Gives a registered function free, after the listener that used it is closed. */
export function unregisterListenHook(pointer: bigint): void {
  koffi.unregister(pointer);
}

/** Copies bytes that libsrt points to. */
export function readMemory(pointer: bigint, length: number): Uint8Array {
  return new Uint8Array(koffi.view(pointer, length)).slice();
}

/** Memory that stays where it is while a thread writes into it. */
export function allocateStable(bytes: number): {
  readonly pointer: unknown;
  readonly view: DataView;
  free(): void;
} {
  const pointer: unknown = koffi.alloc('uint8_t', bytes);
  return { pointer, view: new DataView(koffi.view(pointer, bytes)), free: () => koffi.free(pointer) };
}

function declareFunctions(library: LibraryHandle): LibSrtFunctions {
  const declare = (name: string, ...types: readonly string[]): KoffiFunction =>
    library.func(`srt_${name}`, 'int', [...types]);
  return {
    startup: declare('startup'),
    cleanup: offLoop(declare('cleanup')),
    setloglevel: library.func('srt_setloglevel', 'void', ['int']),
    create_socket: declare('create_socket'),
    setsockflag: declare('setsockflag', 'int', 'int', 'void *', 'int'),
    getsockflag: declare('getsockflag', 'int', 'int', 'void *', 'void *'),
    connect: declare('connect', 'int', 'void *', 'int'),
    getrejectreason: declare('getrejectreason', 'int'),
    bind: declare('bind', 'int', 'void *', 'int'),
    listen: declare('listen', 'int', 'int'),
    listen_callback: declare('listen_callback', 'int', 'void *', 'void *'),
    accept: declare('accept', 'int', 'void *', 'void *'),
    getsockname: declare('getsockname', 'int', 'void *', 'void *'),
    getsockstate: declare('getsockstate', 'int'),
    setrejectreason: declare('setrejectreason', 'int', 'int'),
    recvmsg: declare('recvmsg', 'int', 'void *', 'int'),
    bistats: declare('bistats', 'int', 'void *', 'int', 'int'),
    close: offLoop(declare('close', 'int')),
    getlasterror: declare('getlasterror', 'void *'),
    getlasterror_str: library.func('srt_getlasterror_str', 'str', []),
    epoll_create: declare('epoll_create'),
    epoll_set: declare('epoll_set', 'int', 'int32_t'),
    epoll_add_usock: declare('epoll_add_usock', 'int', 'int', 'void *'),
    epoll_remove_usock: declare('epoll_remove_usock', 'int', 'int'),
    epoll_uwait: offLoop(declare('epoll_uwait', 'int', 'void *', 'int', 'int64_t')),
    epoll_release: declare('epoll_release', 'int'),
  };
}

function offLoop(call: KoffiFunction): (...values: readonly unknown[]) => Promise<number> {
  return (...values) =>
    new Promise((resolve, reject) => {
      call.async(...values, (error: unknown, result: number) => {
        if (error === null) {
          resolve(result);
        } else {
          reject(new Error('libsrt call failed to run', { cause: error }));
        }
      });
    });
}
