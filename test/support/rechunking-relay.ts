/**
 * Stands between an RTMP encoder and the origin and cuts every message anew, with a chunk size that changes all
 * the time: what an encoder may do (RTMP 1.0 §5.4.1) and few encoders ever do.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ChunkReader } from '../../origin/ingest/rtmp/chunk-reader.ts';
import { DEFAULT_CHUNK_SIZE, writeChunks } from '../../origin/ingest/rtmp/chunk-writer.ts';
import { RTMP_LIMITS } from '../../origin/ingest/rtmp/limits.ts';
import { SET_CHUNK_SIZE } from '../../origin/ingest/rtmp/message.ts';

/** C0 + C1 + C2, RTMP 1.0 §5.2: passes untouched. */
const HANDSHAKE_BYTES = 1 + 1536 + 1536;
const CHUNK_SIZES = [128, 4096, 1, 65_536, 1000, 333, 60_000];
const MESSAGES_PER_SIZE = 50;
const CONTROL_CHUNK_STREAM = 2;

/** A running relay. */
export interface RechunkingRelay {
  readonly port: number;
  /** How often the chunk size was changed. */
  changes(): number;
  close(): Promise<void>;
}

/** Starts a relay on a free port. */
export async function startRechunkingRelay(options: {
  readonly host: string;
  readonly targetPort: number;
}): Promise<RechunkingRelay> {
  const sockets = new Set<Socket>();
  let changes = 0;
  const server = createServer((encoder) => {
    const origin = connect(options.targetPort, options.host);
    const rechunk = new Rechunker((bytes) => origin.write(bytes));
    for (const socket of [encoder, origin]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    encoder.on('data', (bytes) => {
      changes += rechunk.take(bytes);
    });
    origin.pipe(encoder);
    encoder.on('close', () => origin.end());
    origin.on('close', () => encoder.destroy());
  });
  server.listen(0, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    changes: () => changes,
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

class Rechunker {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #reader = new ChunkReader(RTMP_LIMITS);
  #handshakeLeft = HANDSHAKE_BYTES;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #messages = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Takes bytes of the encoder; returns how often it changed the chunk size. */
  take(bytes: Uint8Array): number {
    const handshake = bytes.subarray(0, this.#handshakeLeft);
    this.#handshakeLeft -= handshake.length;
    if (handshake.length > 0) {
      this.#write(handshake);
    }
    let changes = 0;
    for (const message of this.#reader.read(bytes.subarray(handshake.length))) {
      changes += this.#changeChunkSize();
      this.#write(writeChunks(message, this.#chunkSize));
    }
    return changes;
  }

  #changeChunkSize(): number {
    this.#messages += 1;
    if (this.#messages % MESSAGES_PER_SIZE !== 0) {
      return 0;
    }
    const next = CHUNK_SIZES[(this.#messages / MESSAGES_PER_SIZE) % CHUNK_SIZES.length] ?? DEFAULT_CHUNK_SIZE;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, next);
    const control = {
      chunkStreamId: CONTROL_CHUNK_STREAM,
      timestamp: 0,
      typeId: SET_CHUNK_SIZE,
      streamId: 0,
      payload,
    };
    this.#write(writeChunks(control, this.#chunkSize));
    this.#chunkSize = next;
    return 1;
  }
}
