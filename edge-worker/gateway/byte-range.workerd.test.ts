import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRange, sliceBody } from './byte-range.ts';

describe('decideRange', () => {
  it.each([
    ['bytes=0-3', { kind: 'part', first: 0, last: 3 }],
    ['bytes=4-', { kind: 'part', first: 4, last: 9 }],
    ['bytes=-3', { kind: 'part', first: 7, last: 9 }],
    ['bytes=-30', { kind: 'part', first: 0, last: 9 }],
    ['bytes=8-100', { kind: 'part', first: 8, last: 9 }],
    ['bytes=10-', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=5-2', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=0-1,3-4', { kind: 'whole' }],
    ['items=0-1', { kind: 'whole' }],
    ['bytes=99999999999999999999-', { kind: 'whole' }],
    [null, { kind: 'whole' }],
  ])('reads %s of 10 bytes', (header, decision) => {
    expect(decideRange(header, 10)).toEqual(decision);
  });

  it('has nothing to give of an empty representation', () => {
    expect(decideRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
  });
});

describe('sliceBody', () => {
  it('gives the same bytes as a slice of the whole, however the body is chunked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat(),
        async (chunks, one, other) => {
          const whole = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
          fc.pre(whole.length > 0);
          const [first, last] = [one % whole.length, other % whole.length].sort((a, b) => a - b);
          for (const body of [streamOf(chunks), new Blob(chunks), whole]) {
            const cut = new Response(sliceBody(body, first ?? 0, last ?? 0));
            expect(new Uint8Array(await cut.arrayBuffer())).toEqual(whole.slice(first, (last ?? 0) + 1));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) {
        if (chunk.length > 0) {
          controller.enqueue(chunk);
        }
      }
      controller.close();
    },
  });
}
