/** One RTMP connection: moves bytes between the socket and the layers that decide, and keeps the clocks. */

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Log } from '../../log.ts';
import type { Admission, FeedEnd, IngestGate, PublishRefusal } from '../media-feed.ts';
import { FlowControl } from '../protection/flow-control.ts';
import type { ConnectionProtection } from '../protection/protection.ts';
import { AcknowledgementWindow } from './acknowledgement-window.ts';
import { ChunkReader } from './chunk-reader.ts';
import { DEFAULT_CHUNK_SIZE, writeChunks } from './chunk-writer.ts';
import { readCommand } from './command.ts';
import {
  CommandSession,
  publishFailed,
  publishStarted,
  unpublished,
  type SessionStep,
} from './command-session.ts';
import { HANDSHAKE_BYTES, ServerHandshake } from './handshake.ts';
import type { RtmpLimits } from './limits.ts';
import {
  COMMAND_AMF0,
  COMMAND_AMF3,
  PING_REQUEST,
  PING_RESPONSE,
  readUint32,
  SET_CHUNK_SIZE,
  USER_CONTROL,
  userControl,
  WINDOW_ACKNOWLEDGEMENT_SIZE,
  type RtmpMessage,
} from './message.ts';
import { readMediaMessage } from './media-message.ts';
import { RtmpProtocolError } from './protocol-error.ts';
import { Publication } from './publication.ts';
import type { PublishAddress } from './publish-address.ts';

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly gate: IngestGate;
  readonly log: Log;
  readonly limits: RtmpLimits;
  readonly protection?: ConnectionProtection | undefined;
}

const USER_CONTROL_EVENT_BYTES = 2;

/** Serves one socket from accept to close; an error in it ends it alone. */
export class RtmpConnection {
  readonly #socket: Socket;
  readonly #flow: FlowControl;
  readonly #gate: IngestGate;
  #log: Log;
  readonly #limits: RtmpLimits;
  readonly #remoteAddress: string;
  readonly #handshake = new ServerHandshake(randomBytes(HANDSHAKE_BYTES));
  readonly #reader: ChunkReader;
  readonly #session = new CommandSession();
  #phase: 'handshake' | 'open' | 'closing' = 'handshake';
  #publication: Publication | undefined;
  /** While others decide on a publisher: what it sent in the same breath, no more than one read of the socket. */
  #waiting: { readonly admission: Admission; readonly held: RtmpMessage[] } | undefined;
  #deadline: NodeJS.Timeout;
  #ping: NodeJS.Timeout | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  readonly #window = new AcknowledgementWindow();

  /** `remoteAddress` is the peer's address as the gate and the feed name it. */
  constructor(socket: Socket, remoteAddress: string, context: ConnectionContext) {
    this.#socket = socket;
    const { protection } = context;
    const rate = protection && { ...protection, onLimited: () => protection.limited(remoteAddress) };
    this.#flow = new FlowControl(socket, rate);
    this.#remoteAddress = remoteAddress;
    this.#gate = context.gate;
    this.#limits = context.limits;
    this.#log = context.log.child({ remoteAddress });
    this.#reader = new ChunkReader(context.limits);
    this.#deadline = this.#expectWithin(context.limits.handshakeMs, 'the RTMP handshake');
    socket.on('data', (bytes) => this.#guard(() => this.#receive(bytes)));
    socket.on('error', (error) => this.#lost(error.message));
    socket.on('close', () => this.#lost('the encoder closed the connection without unpublishing'));
  }

  /** Ends the connection, and its feed with reason `closed`. */
  close(detail: string): void {
    this.#over({ reason: 'closed', detail });
  }

  /** Runs a step of this connection; whatever goes wrong in it ends this connection and no other. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof RtmpProtocolError) {
        this.#log.warn({ code: error.code }, `RTMP connection ended: ${error.message}`);
        this.#finish({ reason: 'rejected', detail: error.message });
        return;
      }
      this.#log.error({ err: error }, 'RTMP connection ended by a fault of this server');
      this.#finish({ reason: 'closed', detail: 'a fault of this server' });
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#ping?.refresh();
    this.#flow.count(bytes.length);
    switch (this.#phase) {
      case 'handshake':
        this.#shakeHands(bytes);
        break;
      case 'open':
        this.#readMessages(bytes);
        break;
      case 'closing':
        return;
    }
    const due = this.#window.count(bytes.length);
    if (due !== undefined) {
      this.#send(due);
    }
  }

  #shakeHands(bytes: Uint8Array): void {
    const step = this.#handshake.take(bytes);
    if (step.reply.length > 0) {
      this.#socket.write(step.reply);
    }
    if (step.rest !== undefined) {
      this.#phase = 'open';
      clearTimeout(this.#deadline);
      this.#deadline = this.#expectWithin(this.#limits.firstPublishMs, 'a publish command');
      this.#readMessages(step.rest);
    }
  }

  #readMessages(bytes: Uint8Array): void {
    for (const message of this.#reader.read(bytes)) {
      if (this.#waiting === undefined) {
        this.#takeMessage(message);
      } else {
        this.#waiting.held.push(message);
      }
      if (this.#isClosing()) {
        return;
      }
    }
  }

  #takeMessage(message: RtmpMessage): void {
    switch (message.typeId) {
      case COMMAND_AMF0:
      case COMMAND_AMF3:
        for (const step of this.#session.take(readCommand(message))) {
          this.#takeStep(step);
        }
        break;
      case USER_CONTROL:
        this.#takeUserControl(message.payload);
        break;
      case WINDOW_ACKNOWLEDGEMENT_SIZE:
        this.#window.resize(message.payload);
        break;
      default:
        this.#takeMedia(message);
    }
  }

  #takeStep(step: SessionStep): void {
    switch (step.kind) {
      case 'send':
        this.#send(step.message);
        break;
      case 'publish':
        this.#publish(step.streamId, step.address);
        break;
      case 'unpublish':
        if (this.#publication !== undefined) {
          this.#send(unpublished(this.#publication.streamId));
          this.#finish({ reason: 'unpublished' });
        }
        break;
      case 'refuse':
        this.#log.warn(`RTMP connection refused: ${step.detail}`);
        this.#finish({ reason: 'rejected', detail: step.detail });
        break;
    }
  }

  #publish(streamId: number, address: PublishAddress): void {
    if (this.#publication !== undefined) {
      const detail = 'this connection already publishes a stream';
      this.#send(publishFailed(streamId, 'NetStream.Publish.BadName', detail));
      this.#finish({ reason: 'rejected', detail });
      return;
    }
    const remoteAddress = this.#remoteAddress;
    const admitted = this.#gate.admit({ protocol: 'rtmp', ...address, remoteAddress });
    if (!admitted.ok) {
      this.#refusePublish(streamId, admitted.failure);
      return;
    }
    const { pending } = admitted.value;
    if (pending === undefined) {
      this.#startPublication(streamId, admitted.value);
    } else {
      this.#waitFor(pending, streamId, admitted.value);
    }
  }

  /** The encoder is answered when it is decided; until then nothing more of it is read. */
  #waitFor(pending: Promise<PublishRefusal | undefined>, streamId: number, admission: Admission): void {
    const held: RtmpMessage[] = [];
    const waiting = { admission, held };
    this.#waiting = waiting;
    clearTimeout(this.#deadline);
    this.#flow.hold();
    void pending.then((refusal) => {
      this.#guard(() => {
        if (this.#waiting !== waiting) {
          return;
        }
        this.#waiting = undefined;
        this.#flow.release();
        if (refusal !== undefined) {
          admission.release();
          this.#refusePublish(streamId, refusal);
          return;
        }
        this.#startPublication(streamId, admission);
        for (const message of held) {
          if (!this.#isClosing()) {
            this.#takeMessage(message);
          }
        }
      });
    });
  }

  #startPublication(streamId: number, admission: Admission): void {
    const remoteAddress = this.#remoteAddress;
    this.#log = this.#log.child({ stream: admission.stream });
    this.#log.info('RTMP publishing started');
    clearTimeout(this.#deadline);
    this.#ping = setTimeout(() => this.#pingSilent(), this.#limits.pingMs);
    this.#publication = new Publication({
      admission,
      streamId,
      remoteAddress,
      limits: this.#limits,
      onPause: (paused) => this.#pause(paused),
      onNotice: (notice) => this.#log.info(notice),
      onOver: (end) => this.#over(end),
    });
    this.#publication.start();
    for (const message of publishStarted(streamId)) {
      this.#send(message);
    }
  }

  #refusePublish(streamId: number, refusal: PublishRefusal): void {
    const taken = refusal.reason === 'already-live';
    const code = taken ? 'NetStream.Publish.BadName' : 'NetStream.Publish.Denied';
    this.#log.warn({ reason: refusal.reason }, `RTMP publish refused: ${refusal.detail}`);
    this.#send(publishFailed(streamId, code, refusal.detail));
    this.#finish({ reason: 'rejected', detail: refusal.detail });
  }

  /** What is neither media nor metadata is passed over: acknowledgements, peer bandwidth, shared objects. */
  #takeMedia(message: RtmpMessage): void {
    for (const input of readMediaMessage(message)) {
      if (input.kind === 'tag') {
        this.#publication?.takeTag(input.tag);
      } else {
        this.#publication?.takeMetadata(input.metadata);
      }
    }
  }

  #takeUserControl(payload: Uint8Array): void {
    const event = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    const data = readUint32(payload, USER_CONTROL_EVENT_BYTES);
    if (event === PING_REQUEST && data !== undefined) {
      this.#send(userControl(PING_RESPONSE, data));
    }
  }

  /** The publication found that it is over: the encoder is told why, where it is the one to know. */
  #over(end: FeedEnd): void {
    const told = end.reason === 'rejected' || end.reason === 'closed';
    if (told && this.#publication !== undefined) {
      const { streamId } = this.#publication;
      this.#send(publishFailed(streamId, 'NetStream.Publish.Rejected', end.detail));
    }
    this.#finish(end);
  }

  #lost(detail: string): void {
    this.#finish({ reason: 'connection-lost', detail });
  }

  /**
   * Ends everything once: the feed, the clocks, and the socket after what was sent has had time to arrive.
   * An encoder that said goodbye closes first: GStreamer's rtmp2sink takes the reverse for an error.
   */
  #finish(end: FeedEnd): void {
    if (this.#phase === 'closing') {
      return;
    }
    this.#phase = 'closing';
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    this.#ping = undefined;
    this.#waiting?.admission.release();
    this.#waiting = undefined;
    if (this.#publication !== undefined) {
      this.#publication.end(end);
      this.#log.info({ end }, 'RTMP publishing ended');
    }
    if (this.#socket.destroyed) {
      return;
    }
    this.#flow.release();
    if (end.reason !== 'unpublished') {
      this.#socket.end();
    }
    const destroy = setTimeout(() => this.#socket.destroy(), this.#limits.closeGraceMs);
    this.#socket.once('close', () => clearTimeout(destroy));
  }

  #send(message: RtmpMessage): void {
    if (this.#phase === 'closing' || !this.#socket.writable) {
      return;
    }
    this.#socket.write(writeChunks(message, this.#chunkSize));
    if (message.typeId === SET_CHUNK_SIZE) {
      this.#chunkSize = readUint32(message.payload, 0) ?? this.#chunkSize;
    }
    if (this.#socket.writableLength > this.#limits.unsentBytes) {
      this.#log.warn('RTMP connection ended: the encoder does not read our answers');
      this.#lost('the encoder does not read our answers');
      this.#socket.destroy();
    }
  }

  /**
   * Only a silent encoder is pinged: one that closes with our ping unread resets the connection, and a write
   * after that would throw away what it sent before and we have not read yet, as while the socket is paused.
   */
  #pingSilent(): void {
    if (!this.#socket.isPaused()) {
      this.#send(userControl(PING_REQUEST, Math.trunc(performance.now()) >>> 0));
    }
    this.#ping?.refresh();
  }

  #pause(paused: boolean): void {
    if (paused && this.#phase !== 'closing') {
      this.#flow.hold();
    } else {
      this.#flow.release();
    }
  }

  #isClosing(): boolean {
    return this.#phase === 'closing';
  }

  #expectWithin(limitMs: number, what: string): NodeJS.Timeout {
    return setTimeout(() => {
      const detail = `${what} did not come within ${limitMs / 1000} s`;
      this.#log.warn(`RTMP connection ended: ${detail}`);
      this.#finish({ reason: 'rejected', detail });
    }, limitMs);
  }
}
