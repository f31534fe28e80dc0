/** Addresses that streams are pushed on to, taken apart so that their secrets stay off the command line. */

import { fail, ok, type Result } from '#shared/result.ts';
import { parsePullAddress } from '../ingest/srt/pull-address.ts';

/** A target's address. */
export interface TargetAddress {
  readonly container: 'flv' | 'mpegts';
  /** What ffmpeg's command line names, and people see: protocol, host and port. */
  readonly shown: string;
  /** The rest, as options that ffmpeg reads from a file. */
  readonly options: ReadonlyMap<string, string>;
  /** What may be printed nowhere. */
  readonly secrets: readonly string[];
}

/** What is wrong with an address: a rule, never the address, which holds a secret. */
export interface TargetAddressFailure {
  readonly reason: 'invalid-target';
  readonly detail: string;
}

/** `/app/key` or `/app/instance/key`: the last part is the stream key, with its query. */
const RTMP =
  /^(?<protocol>rtmps?):\/\/(?<host>(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?)\/(?<path>[^?#]*)(?<query>\?.*)?$/s;
/** ffmpeg reads its options file in lines of 1,000 bytes. */
const MAX_OPTION_BYTES = 900;
const CONTROL_CHARACTER = /\p{Cc}/u;
const MICROSECONDS_PER_MILLISECOND = 1_000;

/** Reads `rtmp://`, `rtmps://` and `srt://` addresses. */
export function parseTargetAddress(text: string): Result<TargetAddress, TargetAddressFailure> {
  if (CONTROL_CHARACTER.test(text)) {
    return invalid('holds a control character');
  }
  const address = text.startsWith('srt:') ? parseSrt(text) : parseRtmp(text);
  if (!address.ok) {
    return address;
  }
  for (const [name, value] of address.value.options) {
    if (Buffer.byteLength(value) > MAX_OPTION_BYTES) {
      return invalid(`has more than ${MAX_OPTION_BYTES} bytes in ${name}`);
    }
  }
  return address;
}

function parseRtmp(text: string): Result<TargetAddress, TargetAddressFailure> {
  const { protocol = '', host = '', path = '', query = '' } = RTMP.exec(text)?.groups ?? {};
  const slash = path.lastIndexOf('/');
  const application = path.slice(0, Math.max(slash, 0));
  const key = path.slice(slash + 1);
  if (application === '' || key === '') {
    return invalid('is not an address like rtmp://host/application/key, rtmps:// or srt://host:port');
  }
  const options = new Map([
    ['rtmp_app', application],
    ['rtmp_playpath', `${key}${query}`],
    // Without, ffmpeg hands the stream key to whoever answers.
    ...(protocol === 'rtmps' ? [['tls_verify', '1'] as const] : []),
  ]);
  return ok({ container: 'flv', shown: `${protocol}://${host}`, options, secrets: [key, query.slice(1)] });
}

function parseSrt(text: string): Result<TargetAddress, TargetAddressFailure> {
  const parsed = parsePullAddress(text);
  if (!parsed.ok) {
    return invalid(parsed.failure.detail);
  }
  const { host, port, streamId, passphrase, keyLength, latencyMs } = parsed.value;
  const options = new Map<string, string>();
  if (streamId !== undefined) {
    options.set('srt_streamid', streamId);
  }
  if (passphrase !== undefined) {
    options.set('passphrase', passphrase);
  }
  if (keyLength !== undefined) {
    options.set('pbkeylen', String(keyLength));
  }
  if (latencyMs !== undefined) {
    options.set('latency', String(latencyMs * MICROSECONDS_PER_MILLISECOND));
  }
  const shown = `srt://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return ok({ container: 'mpegts', shown, options, secrets: [streamId ?? '', passphrase ?? ''] });
}

/** Takes a target's secrets out of what a program printed. */
export function redact(text: string, { secrets }: TargetAddress): string {
  return secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '…')), text);
}

function invalid(detail: string): Result<never, TargetAddressFailure> {
  return fail({ reason: 'invalid-target', detail });
}
