/** Byte ranges, RFC 9110 §14: which bytes of a representation a request means, and those bytes of a body. */

/** What a `Range` header means for a representation; positions are inclusive, as in `Content-Range`. */
export type RangeDecision =
  /** No range, or one that may be ignored: the whole is answered. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const SINGLE_RANGE = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/;

/** Reads a `Range` header for a representation of `size` bytes. Several ranges are answered with the whole. */
export function decideRange(header: string | null, size: number): RangeDecision {
  const match = header === null ? null : SINGLE_RANGE.exec(header.trim());
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') {
    return { kind: 'whole' };
  }
  if (from === '') {
    const first = Math.max(0, size - Number(to));
    return first < size ? { kind: 'part', first, last: size - 1 } : { kind: 'unsatisfiable' };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) {
    return { kind: 'whole' };
  }
  return first < size ? { kind: 'part', first, last } : { kind: 'unsatisfiable' };
}

/** Takes only the bytes from `first` to `last` of a body; of a stream, what follows is not read. */
export function sliceBody(
  body: Blob | Uint8Array | ReadableStream<Uint8Array>,
  first: number,
  last: number,
): Blob | Uint8Array | ReadableStream<Uint8Array> {
  if (body instanceof Uint8Array) {
    return body.subarray(first, last + 1);
  }
  if (body instanceof Blob) {
    return body.slice(first, last + 1);
  }
  let at = 0;
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const piece = chunk.subarray(Math.max(0, first - at), Math.max(0, last + 1 - at));
      at += chunk.length;
      if (piece.length > 0) {
        controller.enqueue(piece);
      }
      if (at > last) {
        controller.terminate();
      }
    },
  });
  return body.pipeThrough(cut).pipeThrough(new FixedLengthStream(last - first + 1));
}
