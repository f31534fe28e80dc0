import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkReader } from './chunk-reader.ts';
import { writeChunks } from './chunk-writer.ts';
import { RTMP_LIMITS } from './limits.ts';
import { AUDIO, setChunkSize, VIDEO, type RtmpMessage } from './message.ts';
import { RtmpProtocolError } from './protocol-error.ts';

const LIMITS = { ...RTMP_LIMITS, messageBytes: 4096, commandBytes: 1024, unfinishedBytes: 64 * 1024 };

function readAll(reader: ChunkReader, ...pieces: readonly Uint8Array[]): RtmpMessage[] {
  return pieces.flatMap((piece) => [...reader.read(piece)]);
}

function readHex(...parts: readonly string[]): RtmpMessage[] {
  return readAll(new ChunkReader(LIMITS), Buffer.from(parts.join('').replaceAll(' ', ''), 'hex'));
}

function codeOf(hex: string): string | undefined {
  try {
    readHex(hex);
    return undefined;
  } catch (error) {
    return error instanceof RtmpProtocolError ? error.code : 'unnamed';
  }
}

/** Cuts bytes at the given places, modulo their number. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
}

const message = fc.record({
  chunkStreamId: fc.oneof(fc.constantFrom(3, 63, 64, 319, 320, 65_599), fc.integer({ min: 3, max: 40 })),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.constantFrom(0xff_fffe, 0xff_ffff, 0x100_0000),
  ),
  typeId: fc.constantFrom(AUDIO, VIDEO),
  streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 700 }),
});

describe('round trip', () => {
  test('messages written in chunks of any size and cut anywhere read the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(message, fc.integer({ min: 1, max: 800 })), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (steps, places) => {
          let size = 128;
          const parts = steps.flatMap(([value, nextSize]) => {
            const written = [writeChunks(value, size), writeChunks(setChunkSize(nextSize), size)];
            size = nextSize;
            return written;
          });
          const read = readAll(new ChunkReader(LIMITS), ...cutAt(Buffer.concat(parts), places));
          expect(read).toEqual(steps.map(([value]) => value));
        },
      ),
    );
  });

  test('any bytes end in messages or in a named error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(codeOf(Buffer.from(bytes).toString('hex'))).not.toBe('unnamed');
      }),
      { numRuns: 500 },
    );
  });
});

describe('message headers', () => {
  test('types 1, 2 and 3 take over what the chunk stream said before', () => {
    const messages = readHex(
      '04 00000a 000002 08 01000000 aabb',
      '44 000017 000001 09 cc',
      '84 000005 dd',
      'c4 ee',
    );
    expect(messages.map(({ timestamp, typeId, streamId }) => [timestamp, typeId, streamId])).toEqual([
      [10, AUDIO, 1],
      [33, VIDEO, 1],
      [38, VIDEO, 1],
      [43, VIDEO, 1],
    ]);
    expect(messages.map(({ payload }) => Buffer.from(payload).toString('hex'))).toEqual([
      'aabb',
      'cc',
      'dd',
      'ee',
    ]);
  });

  test('a type 3 chunk after a type 0 one takes its time stamp for the delta', () => {
    const messages = readHex('04 000017 000001 08 01000000 aa', 'c4 bb');
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([23, 46]);
  });

  test('the rest of a message may come under a header that says the same', () => {
    const first = '04 000010 000081 08 01000000' + 'aa'.repeat(128);
    const [only] = readHex(first, '44 000010 000081 08 bb');
    expect(only?.timestamp).toBe(16);
    expect(only?.payload.at(-1)).toBe(0xbb);
    expect(codeOf(first + '44 000010 000002 08 bb')).toBe('malformed-chunk');
  });

  test('time stamps wrap at 32 bits', () => {
    const messages = readHex('04 ffffff 000001 08 01000000 fffffffe aa', '84 000005 bb');
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([0xffff_fffe, 3]);
  });
});

describe('extended time stamps', () => {
  const header = '04 ffffff 000085 09 01000000 01020304';

  test('are repeated in type 3 chunks by most encoders', () => {
    const [only] = readHex(header + '11'.repeat(128) + 'c4 01020304 2233445566');
    expect(only?.timestamp).toBe(0x01020304);
    expect(Buffer.from(only?.payload ?? []).toString('hex')).toBe('11'.repeat(128) + '2233445566');
  });

  test('are left out of type 3 chunks by some', () => {
    const [only] = readHex(header + '11'.repeat(128) + 'c4 0102445566');
    expect(Buffer.from(only?.payload ?? []).toString('hex')).toBe('11'.repeat(128) + '0102445566');
  });
});

describe('interleaving and control', () => {
  test('chunks of two chunk streams mix', () => {
    const audio = {
      chunkStreamId: 4,
      timestamp: 1,
      typeId: AUDIO,
      streamId: 1,
      payload: Buffer.alloc(200, 1),
    };
    const video = {
      chunkStreamId: 6,
      timestamp: 2,
      typeId: VIDEO,
      streamId: 1,
      payload: Buffer.alloc(200, 2),
    };
    const [a, v] = [writeChunks(audio, 128), writeChunks(video, 128)];
    const first = 12 + 128;
    const mixed = Buffer.concat([a.subarray(0, first), v, a.subarray(first)]);
    const read = readAll(new ChunkReader(LIMITS), mixed);
    expect(read.map(({ chunkStreamId }) => chunkStreamId)).toEqual([6, 4]);
    expect(read[1]?.payload).toEqual(new Uint8Array(200).fill(1));
  });

  test('Set Chunk Size holds from the next chunk on, also inside a message', () => {
    const start = '04 000000 000104 08 01000000' + 'aa'.repeat(128);
    const grow = '02 000000 000004 01 00000000 00001000';
    const [only] = readHex(start, grow, 'c4' + 'bb'.repeat(132));
    expect(only?.payload.length).toBe(260);
  });

  test('Abort throws away what a chunk stream began', () => {
    const start = '04 000000 000104 08 01000000' + 'aa'.repeat(128);
    const abort = '02 000000 000004 02 00000000 00000004';
    const next = '04 000000 000001 08 01000000 cc';
    expect(readHex(start, abort, next).map(({ payload }) => payload[0])).toEqual([0xcc]);
  });

  test('a chunk size of 0 or with the first bit set is refused', () => {
    const control = '02 000000 000004 01 00000000';
    expect(codeOf(`${control}00000000`)).toBe('malformed-chunk');
    expect(codeOf(`${control}80000000`)).toBe('malformed-chunk');
    expect(codeOf(`${control}7fffffff`)).toBeUndefined();
  });
});

describe('limits', () => {
  test('a header that announces 16 MB ends the reading before any payload', () => {
    expect(codeOf('04 000000 ffffff 09 01000000')).toBe('message-too-large');
  });

  test('a command may be far smaller than media', () => {
    expect(codeOf('03 000000 000800 14 00000000')).toBe('message-too-large');
    expect(codeOf('03 000000 000800 09 00000000')).toBeUndefined();
  });

  test('more chunk streams than the limit are refused', () => {
    const open = (id: number): string =>
      `${id.toString(16).padStart(2, '0')}000000000000080100000000`.slice(0, 24);
    const many = Array.from({ length: 61 }, (_, index) => open(index + 3)).join('');
    expect(codeOf(many)).toBeUndefined();
    const beyond = ['00', '01', '02', '03'].map((second) => `00${second}${open(3).slice(2)}`).join('');
    expect(codeOf(many + beyond)).toBe('too-many-chunk-streams');
  });

  test('interleaved messages without an end are bounded together', () => {
    const reader = new ChunkReader({ ...LIMITS, unfinishedBytes: 6000 });
    const part = (id: number): Uint8Array =>
      Buffer.concat([Buffer.of(id, 0, 0, 0, 0, 0x10, 0, VIDEO, 1, 0, 0, 0), Buffer.alloc(128)]);
    expect(readAll(reader, part(4))).toEqual([]);
    expect(() => readAll(reader, part(5))).toThrow(RtmpProtocolError);
  });

  test('a chunk stream cannot begin with a type 2 or 3 chunk', () => {
    expect(codeOf('84000000')).toBe('malformed-chunk');
    expect(codeOf('c4')).toBe('malformed-chunk');
  });
});
