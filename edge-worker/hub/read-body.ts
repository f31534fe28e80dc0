/** Reads a request's body up to a limit. */

/** Reads the whole body, or returns `undefined` where it is longer than `limit` bytes; the rest is not read. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const declared = request.headers.get('content-length');
  if (Number(declared ?? 0) > limit) {
    await request.body?.cancel();
    return undefined;
  }
  if (declared !== null) {
    // HTTP lets no body be longer than it declares, and one read costs a fraction of many.
    const whole = new Uint8Array(await request.arrayBuffer());
    return whole.length > limit ? undefined : whole;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    const bytes: Uint8Array = chunk;
    length += bytes.length;
    if (length > limit) {
      return undefined;
    }
    chunks.push(bytes);
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) {
    return only;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
