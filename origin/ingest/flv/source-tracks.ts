/** The tracks of a source as their sequence headers tell, and what a demuxer must see before their frames. */

import { parseAudioSpecificConfig } from '#shared/codec/aac.ts';
import { parseAv1Configuration, parseAv1SequenceHeader } from '#shared/codec/av1.ts';
import { parseAvcConfiguration, parseSequenceParameterSet } from '#shared/codec/h264.ts';
import { parseHevcConfiguration, parseHevcSequenceParameterSet } from '#shared/codec/hevc.ts';
import { parseOpusHead } from '#shared/codec/opus.ts';
import { parseVp9Configuration, parseVp9KeyFrame } from '#shared/codec/vp9.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { SourceAudio, SourceProperties, SourceVideo } from '../media-feed.ts';
import type { CodecTag } from './codec-tag.ts';
import { FLV_AUDIO, FLV_SCRIPT, FLV_VIDEO, writeFlvHeader, writeFlvTag } from './flv-tag.ts';
import { writeStreamMetadata } from './stream-metadata.ts';

/** One track: the body of its sequence header tag, and what that says. */
export interface SourceTrack<Properties> {
  readonly header: Uint8Array;
  readonly properties: Properties;
}

/** The tracks known so far. */
export interface SourceTracks {
  readonly video: SourceTrack<SourceVideo> | undefined;
  readonly audio: SourceTrack<SourceAudio> | undefined;
}

const CODEC_NAMES = { h264: 'AVC', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9' };

/** Why a source cannot be taken; `detail` is for the person who set up the encoder. */
export type SourceFailure = { readonly reason: 'rejected-source'; readonly detail: string };

/** A tag that holds a configuration record. */
export type SequenceHeader = Extract<CodecTag, { readonly kind: 'sequence-header' }>;

/** What is read of a picture: only HEVC has no frame rate that is near at hand. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number | undefined;
  readonly interlaced?: boolean;
}

/** Why a configuration record does not do. */
type RecordFailure = { readonly reason: string; readonly detail: string };

/**
 * Reads a video sequence header; `frameRate` is that of the metadata, which wins over the parameter set's. VP9, and
 * AV1 without its sequence header in the record, state their size in key frames: without one, `undefined`.
 */
export function readVideoTrack(
  header: SequenceHeader,
  stated: { readonly frameRate: number | undefined; readonly keyFrame: Uint8Array | undefined },
): Result<SourceTrack<SourceVideo> | undefined, SourceFailure> {
  const { codec, configuration, body } = header;
  if (codec === 'aac' || codec === 'opus') {
    return rejectedSource('audio came as video: the encoder mixes up its tracks');
  }
  const picture = readPicture(codec, configuration, stated.keyFrame);
  if (!picture.ok) {
    const name = CODEC_NAMES[codec];
    return rejectedSource(
      `the ${name} sequence header is malformed (${picture.failure.detail}): update the encoder or send H.264`,
    );
  }
  if (picture.value === undefined) {
    return ok(undefined);
  }
  const { width, height, frameRate, interlaced = false } = picture.value;
  const properties = { codec, width, height, frameRate: stated.frameRate ?? frameRate };
  return ok({ header: body, properties: interlaced ? { ...properties, interlaced } : properties });
}

function readPicture(
  codec: SourceVideo['codec'],
  record: Uint8Array,
  keyFrame: Uint8Array | undefined,
): Result<Picture | undefined, RecordFailure> {
  switch (codec) {
    case 'h264': {
      const read = parseAvcConfiguration(record);
      return read.ok
        ? parseSequenceParameterSet(read.value.sequenceParameterSets[0] ?? new Uint8Array(0))
        : read;
    }
    case 'hevc': {
      const read = parseHevcConfiguration(record);
      return read.ok
        ? parseHevcSequenceParameterSet(read.value.sequenceParameterSets[0] ?? new Uint8Array(0))
        : read;
    }
    case 'av1': {
      const read = parseAv1Configuration(record);
      const units = read.ok && read.value.units.length > 0 ? read.value.units : keyFrame;
      return read.ok && units !== undefined ? parseAv1SequenceHeader(units) : withoutPicture(read);
    }
    case 'vp9': {
      const read = parseVp9Configuration(record);
      return read.ok && keyFrame !== undefined ? parseVp9KeyFrame(keyFrame) : withoutPicture(read);
    }
  }
}

function withoutPicture(read: Result<unknown, RecordFailure>): Result<undefined, RecordFailure> {
  return read.ok ? ok(undefined) : read;
}

/** Reads an audio sequence header. */
export function readAudioTrack(header: SequenceHeader): Result<SourceTrack<SourceAudio>, SourceFailure> {
  const { codec, configuration, body } = header;
  const read = codec === 'opus' ? parseOpusHead(configuration) : parseAudioSpecificConfig(configuration);
  if (!read.ok) {
    const name = codec === 'opus' ? 'Opus' : 'AAC';
    return rejectedSource(
      `the ${name} sequence header is malformed (${read.failure.detail}): update the encoder or send AAC-LC`,
    );
  }
  const { sampleRate, channels } = read.value;
  return ok({
    header: body,
    properties: { codec: codec === 'opus' ? 'opus' : 'aac', sampleRate, channels },
  });
}

/** What the tracks carry. */
export function sourceProperties(tracks: SourceTracks): SourceProperties {
  return { video: tracks.video?.properties, audio: tracks.audio?.properties };
}

/** Writes FLV's file header, metadata and sequence headers. */
export function writeFlvPreamble(tracks: SourceTracks): Uint8Array {
  const parts = [
    writeFlvHeader({ audio: tracks.audio !== undefined, video: tracks.video !== undefined }),
    writeFlvTag({ type: FLV_SCRIPT, timestamp: 0, body: writeStreamMetadata(sourceProperties(tracks)) }),
  ];
  if (tracks.video !== undefined) {
    parts.push(writeFlvTag({ type: FLV_VIDEO, timestamp: 0, body: tracks.video.header }));
  }
  if (tracks.audio !== undefined) {
    parts.push(writeFlvTag({ type: FLV_AUDIO, timestamp: 0, body: tracks.audio.header }));
  }
  return Buffer.concat(parts);
}

/** Makes the failure of a source. */
export function rejectedSource(detail: string): { readonly ok: false; readonly failure: SourceFailure } {
  return fail({ reason: 'rejected-source', detail });
}
