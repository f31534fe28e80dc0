/** Numbers of the libsrt C interface, version 1.5 (`srt.h`). */

/** A socket handle of libsrt. */
export type SrtSocket = number;

/** Returned by calls that failed. */
export const SRT_ERROR = -1;

/** Socket options, enum SRT_SOCKOPT. */
export const SRTO_SNDSYN = 1;
export const SRTO_RCVSYN = 2;
export const SRTO_REUSEADDR = 15;
export const SRTO_PASSPHRASE = 26;
export const SRTO_PBKEYLEN = 27;
export const SRTO_CONNTIMEO = 36;
export const SRTO_RCVKMSTATE = 41;
export const SRTO_RCVLATENCY = 43;
export const SRTO_MINVERSION = 45;
export const SRTO_STREAMID = 46;
export const SRTO_ENFORCEDENCRYPTION = 53;
export const SRTO_IPV6ONLY = 54;
export const SRTO_PEERIDLETIMEO = 55;

/** Error codes of `srt_getlasterror`, enum SRT_ERRNO. */
export const SRT_EBUSYPORT = 5015;
export const SRT_EASYNCRCV = 6002;

/** Events of a socket in an epoll set, enum SRT_EPOLL_OPT. */
export const SRT_EPOLL_IN = 0x1;
export const SRT_EPOLL_ERR = 0x8;
/** Lets an epoll set without sockets wait, enum SRT_EPOLL_FLAGS. */
export const SRT_EPOLL_ENABLE_EMPTY = 1;

/** State of a socket whose handshake is done, enum SRT_SOCKSTATUS. */
export const SRTS_CONNECTED = 5;
/** First socket state in which nothing comes any more, enum SRT_SOCKSTATUS (BROKEN, CLOSING, CLOSED, NONEXIST). */
export const SRTS_BROKEN = 6;

/** State of the key exchange in which what arrives is decrypted, enum SRT_KM_STATE. */
export const SRT_KM_S_SECURED = 2;

/** Version of SRT from which on stream ids travel in the handshake: 1.3.0. */
export const STREAM_ID_VERSION = 0x01_03_00;
/** Log level that lets only what ends the process through; libsrt writes to the standard error output. */
export const SRT_LOG_CRITICAL = 2;
/** Largest payload of an SRT data packet in an Ethernet frame, bytes: 1500 - 20 (IP) - 8 (UDP) - 16 (SRT). */
export const MAX_PAYLOAD_BYTES = 1456;
