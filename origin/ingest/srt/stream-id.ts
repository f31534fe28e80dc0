/** Stream ids of SRT callers, as in the SRT Access Control (Stream ID) Guidelines, and a short form. */

import { fail, ok, type Result } from '#shared/result.ts';

/** Longest stream id that SRT carries, bytes (draft-sharabayko-srt §3.2.1.3). */
const MAX_STREAM_ID_BYTES = 512;

/** What a caller asks for. The name is as received, not yet checked. */
export interface StreamIdRequest {
  readonly stream: string;
  readonly key: string | undefined;
  /** `role`, as received: which of the stream's feeds it is. */
  readonly role?: string;
}

/** Why a stream id is not served; `detail` never repeats the stream id, which may hold a key. */
export type StreamIdFailure =
  | { readonly reason: 'malformed'; readonly detail: string }
  | { readonly reason: 'unsupported-mode'; readonly detail: string }
  | { readonly reason: 'unsupported-type'; readonly detail: string };

const STANDARD_PREFIX = '#!::';
const NESTED_PREFIX = '#!:{';
const RESOURCE_PREFIX = 'live/';
const SHORT_FORM = /^([^:]+):([^:]+?)(?::(.*?))?(?:,role=(.*))?$/;

/**
 * Reads a stream id. The guidelines define no escapes: a value ends at the next comma and may hold `=`. Without `m`
 * the caller is taken to publish, since this listener does nothing else; unknown keys are passed over.
 * The short form takes a role at its end: `publish:{stream}:{key},role=backup`.
 */
export function parseStreamId(text: string): Result<StreamIdRequest, StreamIdFailure> {
  if (text === '') {
    return malformed('no stream id; send #!::r=live/{stream},m=publish,key={key}');
  }
  if (new TextEncoder().encode(text).length > MAX_STREAM_ID_BYTES) {
    return malformed(`stream id longer than ${MAX_STREAM_ID_BYTES} bytes`);
  }
  if (text.startsWith(STANDARD_PREFIX)) {
    return parseStandardForm(text.slice(STANDARD_PREFIX.length));
  }
  if (text.startsWith(NESTED_PREFIX)) {
    return malformed('the nested form #!:{ is not supported; send #!::r=live/{stream},m=publish,key={key}');
  }
  return parseShortForm(text);
}

function parseStandardForm(content: string): Result<StreamIdRequest, StreamIdFailure> {
  const values = new Map<string, string>();
  for (const pair of content.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 1) {
      return malformed('stream id has a part that is no key=value');
    }
    const name = pair.slice(0, equals);
    if (values.has(name)) {
      return malformed('stream id has a key twice');
    }
    values.set(name, pair.slice(equals + 1));
  }
  const mode = values.get('m') ?? 'publish';
  if (mode !== 'publish') {
    return unsupportedMode();
  }
  if ((values.get('t') ?? 'stream') !== 'stream') {
    return fail({ reason: 'unsupported-type', detail: 'stream id asks for a type other than t=stream' });
  }
  const resource = values.get('r');
  return resource === undefined
    ? malformed('stream id has no r=live/{stream}')
    : request(resource, values.get('key'), values.get('role'));
}

function parseShortForm(text: string): Result<StreamIdRequest, StreamIdFailure> {
  const parts = SHORT_FORM.exec(text);
  const stream = parts?.[2];
  if (stream === undefined) {
    return malformed(
      'stream id is neither #!::r=live/{stream},m=publish,key={key} nor publish:{stream}:{key}',
    );
  }
  return parts?.[1] === 'publish' ? request(stream, parts[3], parts[4]) : unsupportedMode();
}

function request(
  resource: string,
  key: string | undefined,
  role: string | undefined,
): Result<StreamIdRequest, StreamIdFailure> {
  const stream = resource.startsWith(RESOURCE_PREFIX) ? resource.slice(RESOURCE_PREFIX.length) : resource;
  return stream === ''
    ? malformed('stream id names no stream')
    : ok({ stream, key: key === '' ? undefined : key, ...(role === undefined ? {} : { role }) });
}

function unsupportedMode(): Result<StreamIdRequest, StreamIdFailure> {
  return fail({ reason: 'unsupported-mode', detail: 'stream id asks for a mode other than publish' });
}

function malformed(detail: string): Result<StreamIdRequest, StreamIdFailure> {
  return fail({ reason: 'malformed', detail });
}
