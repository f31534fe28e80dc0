import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InitJoinError, joinInits } from './init-join.ts';

function box(type: string, ...content: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = content.reduce((sum, piece) => sum + piece.length, 8);
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, size);
  header.set(new TextEncoder().encode(type), 4);
  return new Uint8Array(Buffer.concat([header, ...content]));
}

const track = (id: number): Uint8Array => box('trak', Uint8Array.of(id));
const defaults = (id: number): Uint8Array => box('trex', Uint8Array.of(id));
const ftyp = box('ftyp', Uint8Array.of(1, 2));
const mvhd = box('mvhd', Uint8Array.of(3));

function header(id: number): Uint8Array {
  return Buffer.concat([ftyp, box('moov', mvhd, track(id), box('mvex', defaults(id)), box('udta'))]);
}

const media = Buffer.concat([box('moof', Uint8Array.of(9)), box('mdat', Uint8Array.of(8, 8))]);

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

async function join(bytes: Uint8Array, tracks: number, chunk: number): Promise<Uint8Array> {
  const out: Uint8Array[] = [];
  for await (const piece of joinInits(inChunks(bytes, chunk), tracks)) {
    out.push(piece);
  }
  return new Uint8Array(Buffer.concat(out));
}

describe('joinInits', () => {
  it('makes one movie of all tracks and leaves the fragments alone, however the bytes arrive', async () => {
    const input = Buffer.concat([header(1), header(2), header(3), media, media]);
    const joined = Buffer.concat([
      ftyp,
      box('moov', mvhd, track(1), track(2), track(3), box('mvex', defaults(1), defaults(2), defaults(3))),
      media,
      media,
    ]);
    for (let chunk = 1; chunk <= input.length; chunk += 1) {
      expect(await join(input, 3, chunk)).toEqual(new Uint8Array(joined));
    }
  });

  it('puts the last header before media that came earlier', async () => {
    const input = Buffer.concat([header(1), media, header(2), media]);
    const movie = box('moov', mvhd, track(1), track(2), box('mvex', defaults(1), defaults(2)));
    const joined = new Uint8Array(Buffer.concat([ftyp, movie, media, media]));
    for (const chunk of [1, 7, input.length]) {
      expect(await join(input, 2, chunk)).toEqual(joined);
    }
  });

  it('refuses what is neither header nor media, and media without end', async () => {
    const foreign = Buffer.concat([header(1), box('skip')]);
    await expect(join(foreign, 2, 7)).rejects.toThrow('"skip" after 1 of 2 headers');
    const endless = Buffer.concat([header(1), box('moof'), box('mdat', new Uint8Array(9 * 1024 * 1024))]);
    await expect(join(endless, 2, 1024 * 1024)).rejects.toThrow('1 of 2 headers in');
  });

  it('ends without output when the input ends within the headers', async () => {
    expect(await join(header(1).subarray(0, 20), 1, 5)).toEqual(new Uint8Array());
  });

  it('answers garbage with a named error or with nothing', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 40 }), async (garbage, chunk) => {
        try {
          expect((await join(garbage, 2, chunk)).length).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InitJoinError);
        }
      }),
    );
  });
});
