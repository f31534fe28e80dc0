/** Says what bytes that are no RTMP look like, for the one log line about them. */

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;
const HTTP_METHODS: readonly string[] = [
  'GET ',
  'POST ',
  'PUT ',
  'HEAD ',
  'OPTIONS ',
  'DELETE ',
  'PATCH ',
  'CONNECT ',
  'PRI * ',
];
const RTMPE_VERSIONS: ReadonlySet<number> = new Set([6, 8, 9]);
/** Enough for the longest method above. */
const LOOKED_AT_BYTES = 16;

/** Describes the first bytes of a connection, whose first is not RTMP's version 3. */
export function describeForeignBytes(bytes: Uint8Array): string {
  const text = String.fromCodePoint(...bytes.subarray(0, LOOKED_AT_BYTES));
  if (HTTP_METHODS.some((method) => text.startsWith(method))) {
    return 'an HTTP request; playback is on the edge port';
  }
  if (bytes[0] === TLS_HANDSHAKE && (bytes[1] ?? TLS_MAJOR_VERSION) === TLS_MAJOR_VERSION) {
    return 'a TLS ClientHello; this port speaks plain RTMP: use rtmp://, or the port of RTMPS (RILL_RTMPS_PORT)';
  }
  if (text.startsWith('SSH-')) {
    return 'an SSH client';
  }
  if (RTMPE_VERSIONS.has(bytes[0] ?? 0)) {
    return 'encrypted RTMP (rtmpe://), which is not supported; use rtmps:// or rtmp://';
  }
  return 'random bytes or an unknown protocol';
}
