/** Addresses of encoders that listen: `srt://host:port?streamid=…&latency=…&passphrase=…&pbkeylen=…`. */

import { fail, ok, type Result } from '#shared/result.ts';
import { MAX_STREAM_ID_BYTES } from './stream-id.ts';

/** Whom to call. */
export interface PullAddress {
  readonly host: string;
  readonly port: number;
  readonly streamId?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly keyLength?: 16 | 24 | 32 | undefined;
  readonly latencyMs?: number | undefined;
}

/** What is wrong with an address: a rule, never the address, which may hold secrets. */
export interface AddressFailure {
  readonly reason: 'invalid-address';
  readonly detail: string;
}

const FORM =
  /^srt:\/\/(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?<port>[0-9]{1,5})\/?(?:\?(?<query>.*))?$/s;
const MAX_PORT = 65_535;
/** As of the setting, milliseconds. */
const MAX_LATENCY = 60_000;
const MIN_PASSPHRASE_BYTES = 10;
const MAX_PASSPHRASE_BYTES = 79;

/**
 * Reads an address as srt-live-transmit writes it: latency in milliseconds, a stream id escaped or as it stands.
 */
export function parsePullAddress(text: string): Result<PullAddress, AddressFailure> {
  const { host, port, query = '' } = FORM.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) < 1 || Number(port) > MAX_PORT) {
    return invalid('is not an address like srt://encoder.example.com:9000');
  }
  let address: PullAddress = { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  const seen = new Set<string>();
  for (const part of query === '' ? [] : query.split('&')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0));
    const read = seen.has(name) ? undefined : readParameter(name, unescape(part.slice(equals + 1)));
    if (read === undefined) {
      return invalid(explain(name));
    }
    seen.add(name);
    address = { ...address, ...read };
  }
  return ok(address);
}

function readParameter(name: string, value: string): Partial<PullAddress> | undefined {
  const bytes = Buffer.byteLength(value);
  switch (name) {
    case 'mode':
      return value === 'caller' ? {} : undefined;
    case 'streamid':
      return bytes >= 1 && bytes <= MAX_STREAM_ID_BYTES ? { streamId: value } : undefined;
    case 'passphrase':
      return bytes >= MIN_PASSPHRASE_BYTES && bytes <= MAX_PASSPHRASE_BYTES
        ? { passphrase: value }
        : undefined;
    case 'pbkeylen': {
      const keyLength = ([16, 24, 32] as const).find((length) => String(length) === value);
      return keyLength === undefined ? undefined : { keyLength };
    }
    case 'latency':
      return /^[0-9]{1,5}$/.test(value) && Number(value) <= MAX_LATENCY
        ? { latencyMs: Number(value) }
        : undefined;
    default:
      return undefined;
  }
}

const RULES: ReadonlyMap<string, string> = new Map([
  ['mode', 'mode can only be caller'],
  ['streamid', `streamid needs 1 to ${MAX_STREAM_ID_BYTES} bytes`],
  ['passphrase', `passphrase needs ${MIN_PASSPHRASE_BYTES} to ${MAX_PASSPHRASE_BYTES} bytes`],
  ['pbkeylen', 'pbkeylen can be 16, 24 or 32'],
  ['latency', `latency can be 0 to ${MAX_LATENCY} milliseconds`],
]);

function explain(name: string): string {
  const rule = RULES.get(name);
  return rule === undefined
    ? `has a parameter that is none of ${[...RULES.keys()].join(', ')}`
    : `${rule}, given once`;
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(detail: string): Result<never, AddressFailure> {
  return fail({ reason: 'invalid-address', detail });
}
