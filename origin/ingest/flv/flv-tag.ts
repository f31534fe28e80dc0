/** FLV: the file header, the tags that follow it, and what a tag's header says; Adobe FLV specification 10.1 annex E. */

/** What a tag carries; the numbers are the TagType of E.4.1. */
export const FLV_AUDIO = 8;
/** A video tag. */
export const FLV_VIDEO = 9;
/** A script data tag. */
export const FLV_SCRIPT = 18;

/** TagType of a tag. */
type FlvTagType = typeof FLV_AUDIO | typeof FLV_VIDEO | typeof FLV_SCRIPT;

/** What the bytes before a tag's body say; the type is not yet known to be one of FLV's. */
export interface FlvTagHeader {
  readonly type: number;
  readonly bodyBytes: number;
  /** Milliseconds, 32 bits unsigned. */
  readonly timestamp: number;
}

/** One FLV tag without its framing. */
export interface FlvTag {
  readonly type: FlvTagType;
  /** Milliseconds, 32 bits unsigned. */
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** Bytes before a tag's body. */
export const FLV_TAG_HEADER_BYTES = 11;
/** Bytes of the PreviousTagSize that follows each tag. */
export const FLV_TAG_TRAILER_BYTES = 4;

const HEADER_BYTES = 9;
/** Bytes before the first tag: the file header and PreviousTagSize0. */
export const FLV_FILE_HEADER_BYTES = HEADER_BYTES + FLV_TAG_TRAILER_BYTES;
const HAS_AUDIO = 0b100;
const HAS_VIDEO = 0b001;

/** Writes the file header and PreviousTagSize0, E.2 and E.3. */
export function writeFlvHeader(tracks: { readonly audio: boolean; readonly video: boolean }): Uint8Array {
  const flags = (tracks.audio ? HAS_AUDIO : 0) | (tracks.video ? HAS_VIDEO : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, HEADER_BYTES, 0, 0, 0, 0);
}

/** Writes one tag with its PreviousTagSize, E.4.1; the body is at most 2^24 - 1 bytes. */
export function writeFlvTag(tag: FlvTag): Uint8Array {
  const size = FLV_TAG_HEADER_BYTES + tag.body.length;
  const bytes = new Uint8Array(size + FLV_TAG_TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (tag.type << 24) | tag.body.length);
  view.setUint32(4, ((tag.timestamp & 0xff_ffff) << 8) | ((tag.timestamp >>> 24) & 0xff));
  bytes.set(tag.body, FLV_TAG_HEADER_BYTES);
  view.setUint32(size, size);
  return bytes;
}

/** Reads the header of a tag, E.4.1: {@link FLV_TAG_HEADER_BYTES} have to be there from `at` on. */
export function readFlvTagHeader(view: DataView, at = 0): FlvTagHeader {
  return {
    type: view.getUint8(at),
    bodyBytes: view.getUint32(at) & 0xff_ffff,
    timestamp: ((view.getUint8(at + 7) << 24) | (view.getUint32(at + 4) >>> 8)) >>> 0,
  };
}
