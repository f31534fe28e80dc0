/**
 * Stream ids of SRT callers: the SRT Access Control (Stream ID) Guidelines, a short form, plain paths, and what
 * encoders set up for other servers send.
 */

import { fail, ok, type Result } from '#shared/result.ts';

/** Longest stream id that SRT carries, bytes (draft-sharabayko-srt §3.2.1.3). */
export const MAX_STREAM_ID_BYTES = 512;

/** What a caller asks for. The name is as received, not yet checked. */
export interface StreamIdRequest {
  readonly stream: string;
  readonly key: string | undefined;
  /** `role`, as received: which of the stream's feeds it is. */
  readonly role: string | undefined;
}

/** Why a stream id is not served; `detail` never repeats the stream id, which may hold a key. */
export type StreamIdFailure =
  | { readonly reason: 'malformed'; readonly detail: string }
  | { readonly reason: 'unsupported-mode'; readonly detail: string }
  | { readonly reason: 'unsupported-type'; readonly detail: string };

type Outcome = Result<StreamIdRequest, StreamIdFailure>;
type Fields = ReadonlyMap<string, string>;

const STANDARD_PREFIX = '#!::';
const NESTED_PREFIX = '#!:{';
/** Encoders that send an id as it stood in a URL. */
const ESCAPED = /^(?:%23%21|%23!|srt%3a%2f%2f)/i;
const SHORT_FORM = /^([a-z]+):([^:/?][^:]*?)(?::(.*?))?(?:,role=([a-z]*))?$/;
/** OvenMediaEngine's ids are whole addresses, or paths that begin with the virtual host. */
const ADDRESS = /^srt:\/\/[^/?]+\//;
const VIRTUAL_HOST = /^default\/(?=live\/)/;
/** Wowza Streaming Engine names the application's instance. */
const APPLICATION = /^\/?live\/(?:_definst_\/)?/;
/** Names under which a key travels: ours, SRS's, and that of others. */
const KEY_FIELDS = ['key', 'secret', 'token'];

/**
 * Reads a stream id. The guidelines define no escapes: a value ends at the next comma and may hold `=`. Without `m`
 * the caller is taken to publish, since this listener does nothing else; unknown fields are passed over.
 */
export function parseStreamId(text: string): Outcome {
  if (text === '') {
    return malformed('no stream id; send #!::r=live/{stream},m=publish,key={key}');
  }
  if (new TextEncoder().encode(text).length > MAX_STREAM_ID_BYTES) {
    return malformed(`stream id longer than ${MAX_STREAM_ID_BYTES} bytes`);
  }
  const plain = ESCAPED.test(text) ? decodeEscapes(text) : text;
  if (plain.startsWith(STANDARD_PREFIX)) {
    return parseStandardForm(plain.slice(STANDARD_PREFIX.length));
  }
  if (plain.startsWith(NESTED_PREFIX)) {
    return malformed('the nested form #!:{ is not supported; send #!::r=live/{stream},m=publish,key={key}');
  }
  const short = SHORT_FORM.exec(plain);
  return short === null ? parsePath(plain) : parseShortForm(short);
}

function parseStandardForm(content: string): Outcome {
  const fields = readFields(content, ',');
  if (fields === undefined) {
    return malformed('stream id has a part that is no key=value, or a key twice');
  }
  if ((fields.get('m') ?? 'publish') !== 'publish') {
    return unsupportedMode();
  }
  if ((fields.get('t') ?? 'stream') !== 'stream') {
    return fail({ reason: 'unsupported-type', detail: 'stream id asks for a type other than t=stream' });
  }
  const host = fields.get('h');
  // SRS lets `h` hold the path where there is no `r`.
  const resource = fields.get('r') ?? (host?.includes('/') === true ? host : undefined);
  return resource === undefined
    ? malformed('stream id has no r=live/{stream}')
    : readResource(resource, fields);
}

/** `publish:{stream}:{key}`, with `,role=backup` at its end; the stream may have a query. */
function parseShortForm([, mode, stream = '', key = '', role]: RegExpExecArray): Outcome {
  const beside = new Map([['key', key], ...(role === undefined ? [] : [['role', role] as const])]);
  return mode === 'publish' ? readResource(stream, beside) : unsupportedMode();
}

/** `live/{stream}?key={key}`, alone or in an address. */
function parsePath(text: string): Outcome {
  return text.includes(':') && !ADDRESS.test(text)
    ? malformed(
        'stream id is neither #!::r=live/{stream},m=publish,key={key} nor publish:{stream}:{key} nor live/{stream}?key={key}',
      )
    : readResource(text.replace(ADDRESS, '').replace(VIRTUAL_HOST, ''), new Map());
}

/** A resource may carry fields of its own in a query, as SRS's do; those beside it come first. */
function readResource(resource: string, beside: Fields): Outcome {
  const at = resource.indexOf('?');
  const query = at === -1 || at === resource.length - 1 ? '' : resource.slice(at + 1);
  const own: Fields | undefined = query === '' ? new Map() : readFields(query, '&', decodeEscapes);
  if (own === undefined) {
    return malformed('the query of the stream id has a part that is no key=value, or a key twice');
  }
  const stream = (at === -1 ? resource : resource.slice(0, at)).replace(APPLICATION, '');
  if (stream === '') {
    return malformed('stream id names no stream');
  }
  const role = beside.get('role') ?? own.get('role');
  const keys = [beside, own].flatMap((fields) => KEY_FIELDS.map((name) => fields.get(name) ?? ''));
  return ok({ stream, key: keys.find((value) => value !== ''), role });
}

/** Splits `name=value` parts; `undefined` where one is none, or a name comes twice. */
function readFields(
  text: string,
  separator: string,
  decode: (value: string) => string = (value) => value,
): Fields | undefined {
  const fields = new Map<string, string>();
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    const name = part.slice(0, equals);
    if (equals < 1 || fields.has(name)) {
      return undefined;
    }
    fields.set(name, decode(part.slice(equals + 1)));
  }
  return fields;
}

function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unsupportedMode(): Outcome {
  return fail({ reason: 'unsupported-mode', detail: 'stream id asks for a mode other than publish' });
}

function malformed(detail: string): Outcome {
  return fail({ reason: 'malformed', detail });
}
