/** Delivery directives of a media playlist request, rfc8216bis §6.2.5. */

import { fail, ok, type Result } from '#shared/result.ts';

/** What a player asks for beyond the playlist itself. */
export interface Directives {
  /** `_HLS_msn` */
  readonly msn: number | undefined;
  /** `_HLS_part`, only ever with `msn` */
  readonly part: number | undefined;
  /** `_HLS_skip`; other values than the two are ignored. */
  readonly skip: 'YES' | 'v2' | undefined;
}

/** Why directives cannot be followed: answered 400. */
export type DirectiveFailure = { readonly reason: 'bad-directive'; readonly detail: string };

/** Fifteen digits are below 2^53. */
const INTEGER = /^[0-9]{1,15}$/;

/** Reads the directives; parameters that are none are ignored. */
export function parseDirectives(query: URLSearchParams): Result<Directives, DirectiveFailure> {
  for (const name of ['_HLS_msn', '_HLS_part', '_HLS_skip']) {
    const values = query.getAll(name);
    if (values.length > 1) {
      return bad(`${name} is there twice`);
    }
    if (values[0] === '') {
      return bad(`${name} is empty`);
    }
  }
  const msn = query.get('_HLS_msn') ?? undefined;
  const part = query.get('_HLS_part') ?? undefined;
  for (const value of [msn, part]) {
    if (value !== undefined && !INTEGER.test(value)) {
      return bad('_HLS_msn and _HLS_part are decimal integers');
    }
  }
  if (part !== undefined && msn === undefined) {
    return bad('_HLS_part needs _HLS_msn');
  }
  const skip = query.get('_HLS_skip');
  return ok({
    msn: msn === undefined ? undefined : Number(msn),
    part: part === undefined ? undefined : Number(part),
    skip: skip === 'YES' || skip === 'v2' ? skip : undefined,
  });
}

function bad(detail: string): Result<Directives, DirectiveFailure> {
  return fail({ reason: 'bad-directive', detail });
}
