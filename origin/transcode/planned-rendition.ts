/** What a rendition plan says: the renditions, and what happens to the picture before them. */

import type { RenditionName } from '#shared/identifiers.ts';
import type { SourceAudio, SourceVideo } from '../ingest/media-feed.ts';
import { hardwareOf, type EncoderName } from './encoder-table.ts';
import type { CaptionSettings } from './ladder-captions.ts';
import type { EncodedCodec, EncodedRung } from './ladder.ts';

/** Boxes around samples, and rate control overshooting over one segment. */
export const BANDWIDTH_MARGIN = 1.1;

/** A video rendition. Track IDs count from 1 in plan order. */
export interface VideoRendition {
  readonly kind: 'video';
  readonly name: RenditionName;
  readonly width: number;
  readonly height: number;
  /** Frames per second as the source states it. */
  readonly frameRate: number | undefined;
  /** Expected peak, bits per second. */
  readonly bandwidth: number;
  readonly encoding: { readonly codec: 'copy'; readonly of: SourceVideo['codec'] } | VideoEncoding;
}

/** How a rung is encoded. */
export interface VideoEncoding {
  readonly codec: EncodedCodec;
  readonly encoder: EncoderName;
  /** Render node or GPU of a hardware encoder. */
  readonly device: string | undefined;
  readonly rung: EncodedRung;
  /** Target, bits per second: the rung's, or less where the source has less. */
  readonly bitrate: number;
  /** Peak that the encoder's buffer model allows, bits per second. */
  readonly maxBitrate: number;
  /** Whether closed captions of the source are kept. */
  readonly captions: boolean;
}

/** An audio rendition. */
export interface AudioRendition {
  readonly kind: 'audio';
  readonly name: RenditionName;
  /** Id of the elementary stream in the feed (its PID), or `undefined` where there is only one. */
  readonly streamId: number | undefined;
  /** RFC 5646. */
  readonly language: string | undefined;
  /** What players show. */
  readonly label: string | undefined;
  readonly sampleRate: number;
  readonly channels: number;
  /** Expected peak, bits per second. */
  readonly bandwidth: number;
  readonly encoding:
    | { readonly codec: 'copy'; readonly of: SourceAudio['codec'] }
    | {
        readonly codec: 'aac';
        readonly bitrate: number;
        /** Level to bring it to, dB below full scale. */
        readonly loudness: number | undefined;
      };
}

/** One rendition of a plan. */
export type PlannedRendition = VideoRendition | AudioRendition;

/** What ffmpeg shall make of a source: at least one rendition, in track order. */
export interface RenditionPlan {
  readonly renditions: readonly PlannedRendition[];
  /** What is done to the decoded picture before it is scaled. */
  readonly picture: PictureTreatment;
  readonly captions: CaptionSettings;
  /** Whether the multivariant playlist has a variant of audio alone beside those with pictures. */
  readonly audioOnly: boolean;
}

/** What a decoded picture needs. */
export interface PictureTreatment {
  readonly deinterlace: 'frames' | 'fields' | undefined;
  /** Degrees clockwise. */
  readonly rotate: 0 | 90 | 180 | 270;
}

/** A rendition whose name is still the configuration's text. */
export type Unnamed<R extends PlannedRendition> = Omit<R, 'name'> & { readonly name: string };

/** Whether some rendition of a plan is encoded by hardware. */
export function usesHardware({ renditions }: RenditionPlan): boolean {
  return renditions.some(
    ({ encoding }) => 'encoder' in encoding && hardwareOf(encoding.encoder) !== undefined,
  );
}
