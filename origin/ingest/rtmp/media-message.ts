/** Reads what the messages that carry the stream itself bring: tags and metadata. */

import { readAggregate } from '../flv/aggregate.ts';
import { decodeAmf0 } from '../flv/amf0-decode.ts';
import { FLV_AUDIO, FLV_VIDEO } from '../flv/flv-tag.ts';
import type { MediaTag } from '../flv/source-assembler.ts';
import { findMetadata, type StreamMetadata } from '../flv/stream-metadata.ts';
import { amf0Payload } from './command.ts';
import { AGGREGATE, AUDIO, DATA_AMF0, DATA_AMF3, VIDEO, type RtmpMessage } from './message.ts';
import { RtmpProtocolError } from './protocol-error.ts';

/** One thing a message brings to a publication. */
export type MediaInput =
  | { readonly kind: 'tag'; readonly tag: MediaTag }
  | { readonly kind: 'metadata'; readonly metadata: StreamMetadata };

/** The longest onMetaData that is read; those of encoders are about 500 bytes. */
const MAX_METADATA_BYTES = 64 * 1024;

/** Reads a message; empty for other messages. Throws {@link RtmpProtocolError} for a malformed aggregate. */
export function readMediaMessage(message: RtmpMessage): readonly MediaInput[] {
  switch (message.typeId) {
    case AUDIO:
    case VIDEO:
    case AGGREGATE:
      return readTags(message).map((tag) => ({ kind: 'tag', tag }));
    case DATA_AMF0:
    case DATA_AMF3:
      return readData(message);
    default:
      return [];
  }
}

function readTags(message: RtmpMessage): readonly MediaTag[] {
  const { typeId, timestamp, payload } = message;
  const tags =
    typeId === AGGREGATE ? readAggregate(payload, timestamp) : [{ type: typeId, timestamp, body: payload }];
  if (tags === undefined) {
    throw new RtmpProtocolError('malformed-message', 'an aggregate message with a length that does not fit');
  }
  return tags.flatMap(({ type, timestamp, body }) =>
    type === FLV_AUDIO || type === FLV_VIDEO ? [{ type, timestamp, body }] : [],
  );
}

/** Metadata is a help and no need: what cannot be read, or is too long to be any, is passed over. */
function readData(message: RtmpMessage): readonly MediaInput[] {
  if (message.payload.length > MAX_METADATA_BYTES) {
    return [];
  }
  const values = decodeAmf0(amf0Payload(message, DATA_AMF3));
  const metadata = values.ok ? findMetadata(values.value) : undefined;
  return metadata === undefined ? [] : [{ kind: 'metadata', metadata }];
}
