/** RTMP commands as values: reading what a client calls, and building what a server answers, RTMP 1.0 §7.2. */

import { amfObject, type AmfObject, type AmfValue } from '../flv/amf0.ts';
import { decodeAmf0 } from '../flv/amf0-decode.ts';
import { encodeAmf0 } from '../flv/amf0-encode.ts';
import { COMMAND_AMF3, commandMessage, type RtmpMessage } from './message.ts';
import { RtmpProtocolError } from './protocol-error.ts';

/** A command as received. */
export interface Command {
  readonly name: string;
  /** 0 where no answer is expected. */
  readonly transactionId: number;
  readonly object: AmfValue;
  readonly args: readonly AmfValue[];
  /** The message stream it came on. */
  readonly streamId: number;
}

/** The status object of answers and of `onStatus`. */
export interface Status {
  readonly level: 'status' | 'error';
  readonly code: string;
  readonly description: string;
}

/** Reads a command message; throws {@link RtmpProtocolError} where it is none. */
export function readCommand(message: RtmpMessage): Command {
  const values = decodeAmf0(amf0Payload(message, COMMAND_AMF3));
  if (!values.ok) {
    throw new RtmpProtocolError('malformed-message', `a command: ${values.failure.detail}`);
  }
  const [name, transactionId, object, ...args] = values.value;
  if (typeof name !== 'string') {
    throw new RtmpProtocolError('malformed-message', 'a command without a name');
  }
  const id = typeof transactionId === 'number' ? transactionId : 0;
  return { name, transactionId: id, object, args, streamId: message.streamId };
}

/** The AMF0 bytes of a message: those of an AMF3 type begin with a format byte, after which AMF0 follows. */
export function amf0Payload(message: RtmpMessage, amf3Type: number): Uint8Array {
  return message.typeId === amf3Type ? message.payload.subarray(1) : message.payload;
}

/** Builds `_result` for a command. */
export function resultMessage(command: Command, ...values: readonly AmfValue[]): RtmpMessage {
  return commandMessage(command.streamId, encodeAmf0(['_result', command.transactionId, ...values]));
}

/** Builds `_error` for a command. */
export function errorMessage(command: Command, status: Omit<Status, 'level'>): RtmpMessage {
  const info = statusObject({ ...status, level: 'error' });
  return commandMessage(command.streamId, encodeAmf0(['_error', command.transactionId, null, info]));
}

/** Builds `onStatus` for a message stream. */
export function statusMessage(streamId: number, status: Status): RtmpMessage {
  return commandMessage(streamId, encodeAmf0(['onStatus', 0, null, statusObject(status)]));
}

/** Builds a command that expects no answer. */
export function notice(name: string, info: AmfValue): RtmpMessage {
  return commandMessage(0, encodeAmf0([name, 0, null, info]));
}

/** Builds the object that travels in answers. */
export function statusObject(status: Status): AmfObject {
  return amfObject({ level: status.level, code: status.code, description: status.description });
}
