/** A publisher for tests: speaks RTMP byte by byte under the test's control. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { amfObject, amfProperty, type AmfValue } from '../flv/amf0.ts';
import { decodeAmf0 } from '../flv/amf0-decode.ts';
import { encodeAmf0 } from '../flv/amf0-encode.ts';
import type { MediaTag } from '../flv/source-assembler.ts';
import { ChunkReader } from './chunk-reader.ts';
import { DEFAULT_CHUNK_SIZE, writeChunks } from './chunk-writer.ts';
import { HANDSHAKE_BYTES } from './handshake.ts';
import { RTMP_LIMITS } from './limits.ts';
import { COMMAND_AMF0, setChunkSize, type RtmpMessage } from './message.ts';

const REPLY_BYTES = 1 + 2 * HANDSHAKE_BYTES;

/** One connection to a server under test. */
export class TestPublisher {
  readonly socket: Socket;
  /** Messages received so far. */
  readonly messages: RtmpMessage[] = [];
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  readonly #reader = new ChunkReader(RTMP_LIMITS);
  #handshakeLeft = REPLY_BYTES;
  #chunkSize = DEFAULT_CHUNK_SIZE;

  /** Connects to a port of this machine, or speaks over a socket that is given. */
  constructor(to: number | Socket) {
    this.socket = typeof to === 'number' ? connect({ host: '127.0.0.1', port: to }) : to;
    this.socket.on('error', () => this.socket.destroy());
    this.closed = once(this.socket, 'close').then(() => undefined);
    this.socket.on('data', (bytes) => this.#receive(bytes));
  }

  /** Sends C0, C1 and C2 at once. */
  handshake(): void {
    this.socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * HANDSHAKE_BYTES)]));
  }

  /** Sends a command. */
  command(name: string, transactionId: number, ...values: readonly AmfValue[]): void {
    this.message(COMMAND_AMF0, 0, encodeAmf0([name, transactionId, ...values]));
  }

  /** Sends handshake, connect, createStream and publish, as encoders do. */
  publish(name: string, app = 'live'): void {
    this.handshake();
    this.command('connect', 1, amfObject({ app, tcUrl: `rtmp://127.0.0.1/${app}` }));
    this.command('releaseStream', 2, null, name);
    this.command('FCPublish', 3, null, name);
    this.command('createStream', 4, null);
    this.command('publish', 5, null, name, 'live');
  }

  /** Sends tags. */
  tags(...tags: readonly MediaTag[]): void {
    for (const tag of tags) {
      this.message(tag.type, tag.timestamp, tag.body);
    }
  }

  /** Sends any message. */
  message(typeId: number, timestamp: number, payload: Uint8Array): void {
    this.socket.write(
      writeChunks({ chunkStreamId: 4, timestamp, typeId, streamId: 1, payload }, this.#chunkSize),
    );
  }

  /** Sends Set Chunk Size and keeps to it. */
  chunkSize(size: number): void {
    this.socket.write(writeChunks(setChunkSize(size), this.#chunkSize));
    this.#chunkSize = size;
  }

  /** The commands received so far. */
  commands(): readonly (readonly AmfValue[])[] {
    return this.messages
      .filter(({ typeId }) => typeId === COMMAND_AMF0)
      .map(({ payload }) => {
        const values = decodeAmf0(payload);
        return values.ok ? values.value : [];
      });
  }

  /** The codes of all answers so far. */
  codes(): readonly AmfValue[] {
    return this.commands()
      .map((values) => amfProperty(values[3], 'code'))
      .filter((code) => code !== undefined);
  }

  #receive(bytes: Uint8Array): void {
    const handshake = Math.min(this.#handshakeLeft, bytes.length);
    this.#handshakeLeft -= handshake;
    for (const message of this.#reader.read(bytes.subarray(handshake))) {
      this.messages.push(message);
    }
  }
}
