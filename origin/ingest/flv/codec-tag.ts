/** What the body of an audio or video tag turns out to be. */

import type { SourceAudio, SourceVideo } from '../media-feed.ts';

/** A codec that is carried. */
export type CarriedCodec = SourceVideo['codec'] | SourceAudio['codec'];

/**
 * A tag's body, read. `body` has the layout of FLV 10.1 for AVC or AAC whatever the codec is: for those it is the
 * legacy body that means the same, for the others it only holds packet type, composition time and data.
 */
export type CodecTag =
  | {
      readonly kind: 'sequence-header';
      readonly codec: CarriedCodec;
      readonly configuration: Uint8Array;
      readonly body: Uint8Array;
    }
  /** `key` is true for a key frame, and for every frame of audio. */
  | {
      readonly kind: 'frame';
      readonly codec: CarriedCodec;
      readonly key: boolean;
      readonly body: Uint8Array;
    }
  /** Carries nothing to decode: empty, end of sequence, command frame, colour metadata (the parameter sets say it too). */
  | { readonly kind: 'ignored' }
  /** `codec` is a name for the person who set up the encoder. */
  | { readonly kind: 'unsupported'; readonly codec: string }
  /** Breaks Enhanced RTMP; `detail` says how. */
  | { readonly kind: 'malformed'; readonly detail: string };

/** A tag with its track: 0 where the encoder sends one track a kind, Enhanced RTMP v2 "Multitrack". */
export type TrackTag = CodecTag & { readonly track: number };

/** Bytes of an AVC tag's body before its data: FrameType and CodecID, AVCPacketType, CompositionTime. */
export const VIDEO_HEADER_BYTES = 5;
/** Bytes of an AAC tag's body before its data. */
export const AUDIO_HEADER_BYTES = 2;

/** Puts header bytes in front of data. */
export function joinBody(header: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}

/** Presentation less decode time of an AVC tag's body, milliseconds: SI24 behind the packet type, FLV 10.1 E.4.3.1. */
export function readCompositionTime(body: Uint8Array): number {
  const unsigned = ((body[2] ?? 0) << 16) | ((body[3] ?? 0) << 8) | (body[4] ?? 0);
  return (unsigned << 8) >> 8;
}
