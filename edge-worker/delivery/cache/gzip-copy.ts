/** The compressed copy of a playlist that is kept: made once for everyone, where the runtime would compress each answer. */

/** The content type of playlists, rfc8216bis §4. */
export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** Shortest playlist that is compressed, bytes: below, the saving is less than a packet. */
export const MIN_COMPRESSED_BYTES = 1_024;

/** Compresses a body with gzip (RFC 1952) if it is a playlist that viewers get compressed; else there is no copy. */
export async function gzipCopy(answer: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob;
}): Promise<Blob | undefined> {
  const { status, headers, body } = answer;
  if (status !== 200 || headers['content-type'] !== PLAYLIST_TYPE || body.size < MIN_COMPRESSED_BYTES) {
    return undefined;
  }
  const packed = body.stream().pipeThrough(new CompressionStream('gzip'));
  return new Blob([await new Response(packed).arrayBuffer()]);
}
