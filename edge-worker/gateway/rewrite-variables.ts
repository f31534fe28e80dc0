/** EXT-X-DEFINE, rfc8216bis §4.4.2.3: the variables that a playlist's URIs may refer to. */

import { readAttribute } from './attribute-list.ts';

const DEFINE = /^#EXT-X-DEFINE:.*$/gm;

/**
 * Reads the variables of a playlist whose URL is `base`: NAME with VALUE, and QUERYPARAM. What IMPORT takes over
 * from the multivariant playlist is not known here.
 */
export function readVariables(playlist: string, base: URL): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const [line] of playlist.matchAll(DEFINE)) {
    const parameter = readAttribute(line, 'QUERYPARAM');
    const name = readAttribute(line, 'NAME') ?? parameter;
    const value = parameter === undefined ? readAttribute(line, 'VALUE') : base.searchParams.get(parameter);
    if (name !== undefined && value !== undefined && value !== null) {
      variables.set(name, value);
    }
  }
  return variables;
}
