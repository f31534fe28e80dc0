/** Joins the one-track file headers that ffmpeg's muxers write into the header of one file. */

/** Headers larger than this are no headers, bytes: one of ffmpeg's is about 1 kB a track. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Media that is kept while a track's header is missing, bytes: what others have before a slow encoder's first frame. */
const MAX_EARLY_MEDIA_BYTES = 8 * 1024 * 1024;
const BOX_HEADER_BYTES = 8;
/** Boxes of fragments. */
const MEDIA: ReadonlySet<string> = new Set(['moof', 'mdat']);

/** ffmpeg's output does not start with the headers it was told to write. */
export class InitJoinError extends Error {
  readonly code = 'transcoder-output-invalid';

  constructor(detail: string) {
    super(`ffmpeg's output is not the fragmented MP4 that was asked for: ${detail}`);
    this.name = 'InitJoinError';
  }
}

interface Box {
  readonly type: string;
  /** The whole box, header included. */
  readonly bytes: Uint8Array;
}

/**
 * Passes chunks on, after turning the first `tracks` pairs of `ftyp` and `moov` into one pair whose `moov` has
 * all `trak` and `trex` boxes (ISO/IEC 14496-12 §8.2.1, §8.8.1). Fragments of other tracks that come before the last
 * `moov` (an encoder may know its header only with its first frame) follow it; chunks after that pass untouched.
 *
 * @throws {InitJoinError} when something else comes before the last `moov`, or too much.
 */
export async function* joinInits(
  chunks: AsyncIterable<Uint8Array>,
  tracks: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pending: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of chunks) {
    if (pending === undefined) {
      yield chunk;
      continue;
    }
    pending = concat([pending, chunk]);
    const joined = joinHeaders(pending, tracks);
    if (joined !== undefined) {
      pending = undefined;
      yield joined;
    }
  }
}

/** The joined header and what follows it, or `undefined` while headers are missing. */
function joinHeaders(bytes: Uint8Array, tracks: number): Uint8Array | undefined {
  const boxes = readBoxes(bytes);
  const moovs: Box[] = [];
  const early: Uint8Array[] = [];
  let at = 0;
  for (const box of boxes) {
    at += box.bytes.length;
    if (box.type === 'moov') {
      moovs.push(box);
    } else if (MEDIA.has(box.type)) {
      early.push(box.bytes);
    } else if (box.type !== 'ftyp') {
      throw new InitJoinError(`"${box.type}" after ${moovs.length} of ${tracks} headers`);
    }
    if (moovs.length === tracks) {
      const ftyp = boxes.find((candidate) => candidate.type === 'ftyp')?.bytes ?? new Uint8Array();
      return concat([ftyp, joinMovies(moovs), ...early, bytes.subarray(at)]);
    }
  }
  const limit = early.length === 0 ? MAX_HEADER_BYTES : MAX_EARLY_MEDIA_BYTES;
  if (bytes.length > limit) {
    throw new InitJoinError(`${moovs.length} of ${tracks} headers in ${bytes.length} bytes`);
  }
  return undefined;
}

function joinMovies(moovs: readonly Box[]): Uint8Array {
  const children = moovs.flatMap((moov) => childrenOf(moov));
  const trex = children.filter((box) => box.type === 'mvex').flatMap((box) => childrenOf(box));
  return writeBox('moov', [
    ...children.filter((box) => box.type === 'mvhd').slice(0, 1),
    ...children.filter((box) => box.type === 'trak'),
    {
      type: 'mvex',
      bytes: writeBox(
        'mvex',
        trex.filter((box) => box.type === 'trex'),
      ),
    },
  ]);
}

function childrenOf(box: Box): readonly Box[] {
  return readBoxes(box.bytes.subarray(BOX_HEADER_BYTES));
}

/** The complete boxes at the begin of `bytes`. */
function readBoxes(bytes: Uint8Array): readonly Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes: Box[] = [];
  let at = 0;
  while (at + BOX_HEADER_BYTES <= bytes.length) {
    const size = view.getUint32(at);
    if (size < BOX_HEADER_BYTES) {
      throw new InitJoinError(`a box of ${size} bytes`);
    }
    if (at + size > bytes.length) {
      break;
    }
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + BOX_HEADER_BYTES));
    boxes.push({ type, bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return boxes;
}

function writeBox(type: string, children: readonly Box[]): Uint8Array {
  const header = new Uint8Array(BOX_HEADER_BYTES);
  const size = children.reduce((sum, child) => sum + child.bytes.length, BOX_HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, size);
  header.set(new TextEncoder().encode(type), 4);
  return concat([header, ...children.map((child) => child.bytes)]);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
