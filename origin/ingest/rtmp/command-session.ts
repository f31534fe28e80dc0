/** The command layer of one connection: what a publisher calls and what it is answered, RTMP 1.0 §7.2. */

import { amfObject, amfProperty, type AmfValue } from '../flv/amf0.ts';
import {
  errorMessage,
  notice,
  resultMessage,
  statusMessage,
  statusObject,
  type Command,
  type Status,
} from './command.ts';
import { answerCapabilities } from './enhanced-capabilities.ts';
import {
  setChunkSize,
  setPeerBandwidth,
  STREAM_BEGIN,
  userControl,
  windowAcknowledgementSize,
  type RtmpMessage,
} from './message.ts';
import { APPLICATION, isApplication, readPublishAddress, type PublishAddress } from './publish-address.ts';

/** What a command makes the connection do, in this order. */
export type SessionStep =
  | { readonly kind: 'send'; readonly message: RtmpMessage }
  | { readonly kind: 'publish'; readonly streamId: number; readonly address: PublishAddress }
  | { readonly kind: 'unpublish' }
  /** Send what came before and close. `detail` is for the log and free of anything the peer said. */
  | { readonly kind: 'refuse'; readonly detail: string };

/** Bytes after which each side acknowledges; encoders expect about this. */
const WINDOW_BYTES = 2_500_000;
/** Our chunk size: every answer fits into one chunk. */
const OUTGOING_CHUNK_BYTES = 4096;
/** Message streams of one connection; encoders create one. */
const MAX_STREAMS = 8;
const WATCH_HINT = 'this port only takes publishers: watch over HLS on the edge port';

/** Follows one connection from `connect` on. */
export class CommandSession {
  #connection: { readonly app: string; readonly tcUrl: string } | undefined;
  #streams = 0;

  /** Takes a command and says what to do. */
  take(command: Command): readonly SessionStep[] {
    if (command.name === 'connect') {
      return this.#connect(command);
    }
    if (this.#connection === undefined) {
      const description = 'the first command has to be connect';
      return [
        send(errorMessage(command, { code: 'NetConnection.Call.Failed', description })),
        refuse(description),
      ];
    }
    return this.#call(command, this.#connection);
  }

  #connect(command: Command): readonly SessionStep[] {
    const app = text(amfProperty(command.object, 'app'));
    if (this.#connection !== undefined || !isApplication(app)) {
      const description = `publish to rtmp://HOST/${APPLICATION}/{stream}?key={publish key}`;
      return [
        send(errorMessage(command, { code: 'NetConnection.Connect.Rejected', description })),
        refuse(
          this.#connection === undefined
            ? `an application other than "${APPLICATION}"`
            : 'connect was called twice',
        ),
      ];
    }
    this.#connection = { app, tcUrl: text(amfProperty(command.object, 'tcUrl')) };
    return [
      send(windowAcknowledgementSize(WINDOW_BYTES)),
      send(setPeerBandwidth(WINDOW_BYTES)),
      send(setChunkSize(OUTGOING_CHUNK_BYTES)),
      send(connected(command)),
    ];
  }

  #call(
    command: Command,
    connection: { readonly app: string; readonly tcUrl: string },
  ): readonly SessionStep[] {
    switch (command.name) {
      case 'createStream':
        return this.#createStream(command);
      case 'publish':
        return [
          {
            kind: 'publish',
            streamId: command.streamId,
            address: readPublishAddress({ ...connection, publishName: text(command.args[0]) }),
          },
        ];
      case 'FCPublish':
        return [...acknowledge(command), send(notice('onFCPublish', fcStatus('NetStream.Publish.Start')))];
      case 'FCUnpublish':
      case 'deleteStream':
      case 'closeStream':
        return [{ kind: 'unpublish' }];
      case 'releaseStream':
      case '_checkbw':
        return acknowledge(command);
      case 'play':
      case 'play2':
        return [
          send(statusMessage(command.streamId, failure('NetStream.Play.Failed', WATCH_HINT))),
          refuse('a player connected to the publishing port'),
        ];
      default:
        return unknownCommand(command);
    }
  }

  #createStream(command: Command): readonly SessionStep[] {
    if (this.#streams >= MAX_STREAMS) {
      const description = `at most ${MAX_STREAMS} message streams on one connection`;
      return [
        send(errorMessage(command, { code: 'NetConnection.Call.Failed', description })),
        refuse(description),
      ];
    }
    this.#streams += 1;
    return [send(resultMessage(command, null, this.#streams))];
  }
}

/** What an admitted publisher is told. */
export function publishStarted(streamId: number): readonly RtmpMessage[] {
  const status: Status = {
    level: 'status',
    code: 'NetStream.Publish.Start',
    description: 'the stream is being taken',
  };
  return [userControl(STREAM_BEGIN, streamId), statusMessage(streamId, status)];
}

/** What a publisher is told that said goodbye. */
export function unpublished(streamId: number): RtmpMessage {
  return statusMessage(streamId, {
    level: 'status',
    code: 'NetStream.Unpublish.Success',
    description: 'the stream has ended',
  });
}

/** What a publisher is told that is refused or thrown out; `BadName` where the name is taken. */
export function publishFailed(
  streamId: number,
  code: 'NetStream.Publish.BadName' | 'NetStream.Publish.Denied' | 'NetStream.Publish.Rejected',
  description: string,
): RtmpMessage {
  return statusMessage(streamId, failure(code, description));
}

function connected(command: Command): RtmpMessage {
  const properties = amfObject({
    fmsVer: 'FMS/3,5,7,7009',
    capabilities: 31,
    mode: 1,
    ...answerCapabilities(command.object),
  });
  const status: Status = {
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'connection succeeded',
  };
  const info = statusObject(status);
  return resultMessage(command, properties, {
    kind: 'object',
    properties: new Map([...info.properties, ['objectEncoding', 0]]),
  });
}

/** Answers with an empty result, where the encoder wants one. */
function acknowledge(command: Command): readonly SessionStep[] {
  return command.transactionId === 0 ? [] : [send(resultMessage(command, null, undefined))];
}

/** Answers to our own commands are no calls; anything else that wants an answer gets the proper error. */
function unknownCommand(command: Command): readonly SessionStep[] {
  const isAnswer = command.name.startsWith('_') || command.name.startsWith('on');
  if (isAnswer || command.transactionId === 0) {
    return [];
  }
  const description = 'this server does not have that command';
  return [send(errorMessage(command, { code: 'NetConnection.Call.Failed', description }))];
}

function fcStatus(code: string): AmfValue {
  return statusObject({ level: 'status', code, description: '' });
}

function failure(code: string, description: string): Status {
  return { level: 'error', code, description };
}

function send(message: RtmpMessage): SessionStep {
  return { kind: 'send', message };
}

function refuse(detail: string): SessionStep {
  return { kind: 'refuse', detail };
}

function text(value: AmfValue): string {
  return typeof value === 'string' ? value : '';
}
