/** Thrown where a feed's bytes are not what it promised. */
export class FlvFormatError extends Error {
  override readonly name = 'FlvFormatError';
  readonly code = 'malformed-flv';
}
