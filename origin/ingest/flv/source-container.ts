/** In which container a source goes to ffmpeg, and its bytes in it: FLV for H.264 and AAC, else Matroska. */

import type { FeedContainer } from '../media-feed.ts';
import { writeMatroskaFrame, writeMatroskaPreamble } from '../matroska/matroska-writer.ts';
import { AUDIO_HEADER_BYTES, readCompositionTime, VIDEO_HEADER_BYTES } from './codec-tag.ts';
import { FLV_VIDEO, writeFlvTag, type FlvTag } from './flv-tag.ts';
import { sourceProperties, writeFlvPreamble, type SourceTracks } from './source-tracks.ts';

/** The container that holds these tracks. */
export function containerOf({ video, audio }: SourceTracks): Extract<FeedContainer, 'flv' | 'matroska'> {
  const legacyVideo = video === undefined || video.properties.codec === 'h264';
  const legacyAudio = audio === undefined || audio.properties.codec === 'aac';
  return legacyVideo && legacyAudio ? 'flv' : 'matroska';
}

/** Writes what a demuxer must see first. */
export function writePreamble(tracks: SourceTracks): Uint8Array {
  if (containerOf(tracks) === 'flv') {
    return writeFlvPreamble(tracks);
  }
  return writeMatroskaPreamble(sourceProperties(tracks), {
    video: tracks.video?.header.subarray(VIDEO_HEADER_BYTES),
    audio: tracks.audio?.header.subarray(AUDIO_HEADER_BYTES),
  });
}

/** Writes one frame of these tracks; the tag's body has the layout of AVC or AAC. */
export function writeFrame(tracks: SourceTracks, tag: FlvTag, key: boolean): Uint8Array {
  if (containerOf(tracks) === 'flv') {
    return writeFlvTag(tag);
  }
  const video = tag.type === FLV_VIDEO;
  return writeMatroskaFrame({
    kind: video ? 'video' : 'audio',
    isOpus: !video && tracks.audio?.properties.codec === 'opus',
    key,
    decodeTime: tag.timestamp,
    compositionTime: video ? readCompositionTime(tag.body) : 0,
    data: tag.body.subarray(video ? VIDEO_HEADER_BYTES : AUDIO_HEADER_BYTES),
  });
}
