/** Reads a body of bounded size. */

/** Reads a body as UTF-8; throws, and reads no further, when it is longer than `limit` bytes. */
export async function readLimited(answer: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next?.value === undefined) {
      break;
    }
    const chunk: Uint8Array = next.value;
    size += chunk.length;
    if (size > limit) {
      await reader?.cancel();
      throw new RangeError(`longer than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
}
