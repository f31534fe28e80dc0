/** Puts chunks together to messages again, RTMP 1.0 §5.3: bytes in any portions in, whole messages out. */

import { readChunkHeader, type ChunkHeader } from './chunk-header.ts';
import { DEFAULT_CHUNK_SIZE } from './chunk-writer.ts';
import type { RtmpLimits } from './limits.ts';
import {
  ABORT,
  AGGREGATE,
  AUDIO,
  DATA_AMF0,
  DATA_AMF3,
  readUint32,
  SET_CHUNK_SIZE,
  VIDEO,
  type RtmpMessage,
} from './message.ts';
import { RtmpProtocolError } from './protocol-error.ts';

/** The bounds a chunk reader keeps. */
export type ChunkLimits = Pick<
  RtmpLimits,
  'messageBytes' | 'commandBytes' | 'chunkStreams' | 'unfinishedBytes'
>;

/** What the chunks of one chunk stream id have said so far. */
interface ChunkStream {
  readonly id: number;
  /** The last time field: a time stamp after format 0, a delta after 1 and 2. */
  time: number;
  extended: boolean;
  timestamp: number;
  length: number;
  typeId: number;
  streamId: number;
  /** The message being put together: grows with what arrives, never by what is announced. */
  buffer: Uint8Array | undefined;
  received: number;
}

const EMPTY = new Uint8Array(0);
/** First allocation for a message; most audio and many video frames fit. */
const FIRST_BUFFER_BYTES = 16 * 1024;
/** The types that carry media or metadata and may be large; all others are commands and control. */
const LARGE_TYPES: ReadonlySet<number> = new Set([AUDIO, VIDEO, DATA_AMF0, DATA_AMF3, AGGREGATE]);
/** A message is at most this long, so any larger chunk size means the same, §5.4.1. */
const MAX_MESSAGE_LENGTH = 0xff_ffff;

/** Reads one direction of one connection. Set Chunk Size and Abort are obeyed here and not handed on. */
export class ChunkReader {
  readonly #limits: ChunkLimits;
  readonly #streams = new Map<number, ChunkStream>();
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** The begin of a header whose rest has not arrived. */
  #partialHeader = EMPTY;
  /** The chunk whose payload is arriving. */
  #current: { readonly stream: ChunkStream; remaining: number } | undefined;
  #unfinished = 0;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /**
   * Takes the next bytes and yields the messages they complete; to be run to its end before the next call.
   * Throws {@link RtmpProtocolError} at the first byte that breaks the protocol or a limit.
   */
  *read(bytes: Uint8Array): Generator<RtmpMessage, void> {
    const input = this.#partialHeader.length === 0 ? bytes : concat(this.#partialHeader, bytes);
    this.#partialHeader = EMPTY;
    let at = 0;
    while (at < input.length) {
      if (this.#current === undefined) {
        const size = this.#beginChunk(input, at);
        if (size === undefined) {
          this.#partialHeader = input.slice(at);
          return;
        }
        at += size;
      }
      const taken = this.#takePayload(input, at);
      at += taken.count;
      if (taken.message !== undefined && !this.#obey(taken.message)) {
        yield taken.message;
      }
    }
  }

  /** Reads a header and applies it; its size, or `undefined` where more bytes are needed. */
  #beginChunk(input: Uint8Array, at: number): number | undefined {
    const header = readChunkHeader(input, at);
    if (header === undefined) {
      return undefined;
    }
    const known = this.#streams.get(header.chunkStreamId);
    const repeated =
      header.format === 3 && known?.extended === true
        ? repeatedTimeBytes(known, input.subarray(at + header.size, at + header.size + 4))
        : 0;
    if (repeated === undefined) {
      return undefined;
    }
    const stream = known ?? this.#open(header);
    if (stream.buffer === undefined) {
      this.#beginMessage(stream, header);
    } else if (header.format < 3) {
      requireSameMessage(stream, header);
    }
    const remaining = Math.min(this.#chunkSize, stream.length - stream.received);
    this.#current = { stream, remaining };
    return header.size + repeated;
  }

  #open(header: ChunkHeader): ChunkStream {
    if (header.format > 1) {
      throw malformed(`chunk stream ${header.chunkStreamId} begins with a type ${header.format} chunk`);
    }
    if (this.#streams.size >= this.#limits.chunkStreams) {
      throw new RtmpProtocolError(
        'too-many-chunk-streams',
        `more than ${this.#limits.chunkStreams} chunk streams`,
      );
    }
    const stream: ChunkStream = {
      id: header.chunkStreamId,
      time: 0,
      extended: false,
      timestamp: 0,
      length: 0,
      typeId: 0,
      streamId: 0,
      buffer: undefined,
      received: 0,
    };
    this.#streams.set(stream.id, stream);
    return stream;
  }

  #beginMessage(stream: ChunkStream, header: ChunkHeader): void {
    stream.length = header.length ?? stream.length;
    stream.typeId = header.typeId ?? stream.typeId;
    stream.streamId = header.streamId ?? stream.streamId;
    if (header.time !== undefined) {
      stream.time = header.time;
      stream.extended = header.extended;
    }
    stream.timestamp = header.format === 0 ? stream.time : (stream.timestamp + stream.time) >>> 0;
    const limit = LARGE_TYPES.has(stream.typeId) ? this.#limits.messageBytes : this.#limits.commandBytes;
    if (stream.length > limit) {
      throw new RtmpProtocolError(
        'message-too-large',
        `a message of type ${stream.typeId} announces ${stream.length} bytes, at most ${limit} are taken`,
      );
    }
    stream.received = 0;
    this.#grow(stream, Math.min(stream.length, FIRST_BUFFER_BYTES));
  }

  #grow(stream: ChunkStream, size: number): void {
    const old = stream.buffer ?? EMPTY;
    this.#unfinished += size - old.length;
    if (this.#unfinished > this.#limits.unfinishedBytes) {
      throw new RtmpProtocolError(
        'too-much-unfinished',
        `more than ${this.#limits.unfinishedBytes} bytes of interleaved messages without an end`,
      );
    }
    stream.buffer = new Uint8Array(size);
    stream.buffer.set(old);
  }

  #takePayload(
    input: Uint8Array,
    at: number,
  ): { readonly count: number; readonly message: RtmpMessage | undefined } {
    const current = this.#current;
    if (current === undefined) {
      return { count: 0, message: undefined };
    }
    const { stream } = current;
    const count = Math.min(current.remaining, input.length - at);
    const needed = stream.received + count;
    if (needed > (stream.buffer?.length ?? 0)) {
      this.#grow(stream, Math.min(stream.length, Math.max(needed, stream.received * 2)));
    }
    stream.buffer?.set(input.subarray(at, at + count), stream.received);
    stream.received = needed;
    current.remaining -= count;
    if (current.remaining > 0) {
      return { count, message: undefined };
    }
    this.#current = undefined;
    return { count, message: stream.received === stream.length ? this.#finish(stream) : undefined };
  }

  #finish(stream: ChunkStream): RtmpMessage {
    const payload = stream.buffer ?? EMPTY;
    this.#discard(stream);
    const { id, timestamp, typeId, streamId } = stream;
    return { chunkStreamId: id, timestamp, typeId, streamId, payload };
  }

  #discard(stream: ChunkStream): void {
    this.#unfinished -= stream.buffer?.length ?? 0;
    stream.buffer = undefined;
    stream.received = 0;
  }

  /** Obeys the two messages that concern the chunk stream itself, §5.4.1 and §5.4.2. */
  #obey(message: RtmpMessage): boolean {
    if (message.typeId !== SET_CHUNK_SIZE && message.typeId !== ABORT) {
      return false;
    }
    const value = readUint32(message.payload, 0);
    if (value === undefined) {
      throw malformed(`protocol control message ${message.typeId} of ${message.payload.length} bytes`);
    }
    if (message.typeId === ABORT) {
      const stream = this.#streams.get(value);
      if (stream !== undefined) {
        this.#discard(stream);
      }
      return true;
    }
    if (value < 1 || value > 0x7fff_ffff) {
      throw malformed(`chunk size ${value}`);
    }
    this.#chunkSize = Math.min(value, MAX_MESSAGE_LENGTH);
    return true;
  }
}

/**
 * Tells whether a type 3 chunk repeats the extended time stamp, as §5.3.1.3 asks and most encoders do; some do
 * not, and then these bytes are payload. Its size, or `undefined` where too few bytes are there to tell.
 */
function repeatedTimeBytes(stream: ChunkStream, next: Uint8Array): number | undefined {
  if (!startsLike(next, stream.time) && !startsLike(next, stream.timestamp)) {
    return 0;
  }
  return next.length === 4 ? 4 : undefined;
}

function startsLike(bytes: Uint8Array, value: number): boolean {
  return bytes.every((byte, index) => byte === ((value >>> (24 - 8 * index)) & 0xff));
}

/** §5.3.1.2 only recommends type 3 for the rest of a message: a full header is fine if it says the same. */
function requireSameMessage(stream: ChunkStream, header: ChunkHeader): void {
  if (
    (header.length ?? stream.length) !== stream.length ||
    (header.typeId ?? stream.typeId) !== stream.typeId
  ) {
    throw malformed(`chunk stream ${stream.id} begins a message inside another`);
  }
}

function malformed(detail: string): RtmpProtocolError {
  return new RtmpProtocolError('malformed-chunk', detail);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
