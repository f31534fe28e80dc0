/** The one error of everything here that reads MP4 bytes. */

/** Thrown when bytes are not the MP4 that is expected; the message names the box and what is wrong with it. */
export class Mp4FormatError extends Error {
  override readonly name = 'Mp4FormatError';
  readonly code = 'mp4-format';
  /** Four-character code of the box at fault, or `file` where no box is known. */
  readonly box: string;

  constructor(box: string, detail: string) {
    super(`MP4 ${box}: ${detail}`);
    this.box = box;
  }
}
