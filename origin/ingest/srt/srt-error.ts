/** Errors of SRT ingest. */

/** libsrt is not installed or cannot be loaded: the origin runs without SRT. */
export class SrtUnavailableError extends Error {
  override readonly name = 'SrtUnavailableError';
  readonly code = 'srt-unavailable';

  constructor(cause: unknown) {
    const install = 'apt install libsrt1.5-gnutls, dnf install srt-libs, or brew install srt';
    super(`SRT is off: libsrt 1.5 was not found; ${install}, then start again`, { cause });
  }
}

/** The UDP port is taken. */
export class SrtPortInUseError extends Error {
  override readonly name = 'SrtPortInUseError';
  readonly code = 'srt-port-in-use';
  readonly port: number;

  constructor(host: string, port: number) {
    super(`UDP port ${port} on ${host} is in use; stop what holds it (ss -ulpn) or choose another SRT port`);
    this.port = port;
  }
}

/** A call into libsrt failed. */
export class SrtCallError extends Error {
  override readonly name = 'SrtCallError';
  readonly code = 'srt-call-failed';
  /** Code of `srt_getlasterror`. */
  readonly srtCode: number;
  readonly systemErrno: number;

  constructor(
    call: string,
    failure: { readonly code: number; readonly errno: number; readonly text: string },
  ) {
    super(`${call}: ${failure.text} (SRT error ${failure.code}, errno ${failure.errno})`);
    this.srtCode = failure.code;
    this.systemErrno = failure.errno;
  }
}
