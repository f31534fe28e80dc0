/** Names of streams in tokens, exact or with `*` for any run of a name's characters. */

/** Longest pattern, characters: that of a stream's name. */
const PATTERN = /^[a-z0-9*_-]{1,64}$/;
/** Most `*` in a pattern: with one for each end and the middle every practical naming scheme can be told. */
const MAX_STARS = 4;

/** Tells whether a text is a stream's name or a pattern of names. */
export function isStreamPattern(text: string): boolean {
  return PATTERN.test(text) && text.split('*').length <= MAX_STARS + 1;
}

/** Tells whether a name fits a pattern. */
export function fitsStreamPattern(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) {
    return pattern === name;
  }
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop() ?? '';
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) {
    return false;
  }
  // The earliest place for each piece leaves the most room for the next, so nothing is tried twice.
  let from = head.length;
  const end = name.length - tail.length;
  for (const piece of rest) {
    const at = name.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) {
      return false;
    }
    from = at + piece.length;
  }
  return true;
}
