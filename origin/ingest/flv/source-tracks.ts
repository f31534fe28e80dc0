/** The tracks of a source as their sequence headers tell, and the FLV preamble made of them. */

import { fail, ok, type Result } from '#shared/result.ts';
import { parseAudioSpecificConfig } from '#shared/codec/aac.ts';
import { parseAvcConfiguration, parseSequenceParameterSet } from '#shared/codec/h264.ts';
import type { SourceAudio, SourceProperties, SourceVideo } from '../media-feed.ts';
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

/** Why a source cannot be taken; `detail` is for the person who set up the encoder. */
export type SourceFailure = { readonly reason: 'rejected-source'; readonly detail: string };

/** Reads an AVC sequence header; `frameRate` is that of the metadata, which wins over the parameter set's. */
export function readVideoTrack(
  header: Uint8Array,
  configuration: Uint8Array,
  frameRate: number | undefined,
): Result<SourceTrack<SourceVideo>, SourceFailure> {
  const record = parseAvcConfiguration(configuration);
  if (!record.ok) {
    return rejectedSource(`the AVC sequence header is malformed: ${record.failure.detail}`);
  }
  const parameters = parseSequenceParameterSet(record.value.sequenceParameterSets[0] ?? new Uint8Array(0));
  if (!parameters.ok) {
    return rejectedSource(`the AVC sequence header is malformed: ${parameters.failure.detail}`);
  }
  const { width, height, interlaced } = parameters.value;
  const properties: SourceVideo = {
    codec: 'h264',
    width,
    height,
    frameRate: frameRate ?? parameters.value.frameRate,
    ...(interlaced ? { interlaced } : {}),
  };
  return ok({ header, properties });
}

/** Reads an AAC sequence header. */
export function readAudioTrack(
  header: Uint8Array,
  configuration: Uint8Array,
): Result<SourceTrack<SourceAudio>, SourceFailure> {
  const parameters = parseAudioSpecificConfig(configuration);
  if (!parameters.ok) {
    return rejectedSource(`the AAC sequence header is malformed: ${parameters.failure.detail}`);
  }
  const { sampleRate, channels } = parameters.value;
  return ok({ header, properties: { codec: 'aac', sampleRate, channels } });
}

/** What the tracks carry. */
export function sourceProperties(tracks: SourceTracks): SourceProperties {
  return { video: tracks.video?.properties, audio: tracks.audio?.properties };
}

/** Writes file header, metadata and sequence headers: what a demuxer must see first. */
export function writePreamble(tracks: SourceTracks): Uint8Array {
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
