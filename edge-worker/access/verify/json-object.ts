/** JSON objects in tokens: strict UTF-8, and no member twice. */

/**
 * Reads an object; `undefined` where bytes are none. Members that come twice are refused (RFC 7519 §4 lets a reader
 * do so): issuer, edge and whoever looks at the token in between then cannot read different claims in it.
 */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return isRecord(value) && countMembers(text) === Object.keys(value).length ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Counts the members that the outermost object of valid JSON is written with. */
function countMembers(text: string): number {
  let depth = 0;
  let members = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') {
      depth++;
    } else if (token === '}' || token === ']') {
      depth--;
    } else if (token === ':' && depth === 1) {
      members++;
    }
  }
  return members;
}
