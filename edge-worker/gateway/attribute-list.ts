/** Attribute lists of playlist tags, read in place: rfc8216bis §4.2. */

/** An attribute and where its value stands in the line, quotes included. */
export interface AttributePosition {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Walks the attributes of a tag's line; a malformed rest ends the walk. */
export function* attributePositions(line: string): Generator<AttributePosition> {
  let at = line.indexOf(':') + 1;
  while (at > 0 && at < line.length) {
    const equals = line.indexOf('=', at);
    if (equals < 0) {
      return;
    }
    const start = equals + 1;
    const end = valueEnd(line, start);
    yield { name: line.slice(at, equals).trim(), start, end };
    at = end + 1;
  }
}

/** Reads an attribute of a tag's line without its quotes. */
export function readAttribute(line: string, name: string): string | undefined {
  for (const attribute of attributePositions(line)) {
    if (attribute.name === name) {
      return line.slice(attribute.start, attribute.end).replace(/^"(.*)"$/, '$1');
    }
  }
  return undefined;
}

function valueEnd(line: string, start: number): number {
  const quoteEnd = line[start] === '"' ? line.indexOf('"', start + 1) + 1 : start;
  const comma = line.indexOf(',', quoteEnd === 0 ? start : quoteEnd);
  return comma < 0 ? line.length : comma;
}
