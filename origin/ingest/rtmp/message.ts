/** RTMP messages and the protocol control messages among them, RTMP 1.0 §5.4 and §7.1. */

/** Message type ids, RTMP 1.0 §5.4 and §7.1. */
export const SET_CHUNK_SIZE = 1;
export const ABORT = 2;
export const ACKNOWLEDGEMENT = 3;
export const USER_CONTROL = 4;
export const WINDOW_ACKNOWLEDGEMENT_SIZE = 5;
const SET_PEER_BANDWIDTH = 6;
export const AUDIO = 8;
export const VIDEO = 9;
export const DATA_AMF3 = 15;
export const COMMAND_AMF3 = 17;
export const DATA_AMF0 = 18;
export const COMMAND_AMF0 = 20;
export const AGGREGATE = 22;

/** User control event types, RTMP 1.0 §7.1.7. */
export const STREAM_BEGIN = 0;
export const PING_REQUEST = 6;
export const PING_RESPONSE = 7;

/** Chunk streams we send on: 2 is fixed by §5.4, the others are free. */
const CONTROL_CHUNK_STREAM = 2;
const COMMAND_CHUNK_STREAM = 3;
const LIMIT_DYNAMIC = 2;

/** One whole message. */
export interface RtmpMessage {
  readonly chunkStreamId: number;
  /** Milliseconds, 32 bits unsigned, wrapping. */
  readonly timestamp: number;
  readonly typeId: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** Makes a Set Chunk Size message, §5.4.1. */
export function setChunkSize(size: number): RtmpMessage {
  return control(SET_CHUNK_SIZE, uint32(size));
}

/** Makes an Acknowledgement of all bytes received so far, modulo 2^32, §5.4.3. */
export function acknowledgement(bytesReceived: number): RtmpMessage {
  return control(ACKNOWLEDGEMENT, uint32(bytesReceived % 2 ** 32));
}

/** Makes a Window Acknowledgement Size message, §5.4.4. */
export function windowAcknowledgementSize(size: number): RtmpMessage {
  return control(WINDOW_ACKNOWLEDGEMENT_SIZE, uint32(size));
}

/** Makes a Set Peer Bandwidth message of limit type dynamic, §5.4.5. */
export function setPeerBandwidth(size: number): RtmpMessage {
  return control(SET_PEER_BANDWIDTH, Uint8Array.of(...uint32(size), LIMIT_DYNAMIC));
}

/** Makes a user control message whose data is one 32-bit number, §7.1.7. */
export function userControl(event: number, data: number): RtmpMessage {
  return control(USER_CONTROL, Uint8Array.of(event >> 8, event & 0xff, ...uint32(data)));
}

/** Makes a command message from encoded AMF0, §7.1.1. */
export function commandMessage(streamId: number, payload: Uint8Array): RtmpMessage {
  return { chunkStreamId: COMMAND_CHUNK_STREAM, timestamp: 0, typeId: COMMAND_AMF0, streamId, payload };
}

/** Reads a 32-bit big-endian number, or `undefined` where the bytes end before it. */
export function readUint32(bytes: Uint8Array, at: number): number | undefined {
  return at + 4 > bytes.length
    ? undefined
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

function control(typeId: number, payload: Uint8Array): RtmpMessage {
  return { chunkStreamId: CONTROL_CHUNK_STREAM, timestamp: 0, typeId, streamId: 0, payload };
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
