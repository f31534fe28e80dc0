/** The order of a media playlist's lines, judged without the project's own parser. */

const OPENING = /^#EXT-X-(MAP|KEY|DISCONTINUITY|PROGRAM-DATE-TIME)\b(?!-SEQUENCE)/;

/** Lines that apply to a segment and stand behind a part of it, rfc8216bis §4.4.4. */
export function tagsAfterParts(playlist: string): readonly string[] {
  const misplaced: string[] = [];
  let hasParts = false;
  for (const line of playlist.split('\n')) {
    if (line.startsWith('#EXT-X-PART:')) {
      hasParts = true;
    } else if (line !== '' && !line.startsWith('#')) {
      hasParts = false;
    } else if (hasParts && OPENING.test(line)) {
      misplaced.push(line);
    }
  }
  return misplaced;
}
