/** Tags for tests: real sequence headers written by ffmpeg, and frames of any bytes. */

import { FLV_AUDIO, FLV_VIDEO } from './flv-tag.ts';
import type { MediaTag } from './source-assembler.ts';

/** Body of an AVC sequence header: 320x180 at 30 frames a second. */
const AVC_HEADER: Uint8Array = Buffer.from(
  '170000000001f4000dffe1001a67f4000d919681419f8dc044000003000400000300f23c50aa8001000568ce0f1920fff8f800',
  'hex',
);
/** Body of an AAC sequence header: AAC-LC, 44.1 kHz, mono. */
const AAC_HEADER: Uint8Array = Buffer.from('af00120856e500', 'hex');

/** A video tag with an AVC frame. */
export function videoFrame(timestamp: number, key: boolean, size = 20): MediaTag {
  const body = Buffer.alloc(size, 0x41);
  body.set([key ? 0x17 : 0x27, 1, 0, 0, 0]);
  return { type: FLV_VIDEO, timestamp, body };
}

/** An audio tag with an AAC frame. */
export function audioFrame(timestamp: number): MediaTag {
  return { type: FLV_AUDIO, timestamp, body: Uint8Array.of(0xaf, 1, 0x21, 0x10) };
}

/** A video tag with a sequence header; another `variant` has other bytes. */
export function videoHeader(timestamp = 0, variant = 0): MediaTag {
  const body = Uint8Array.from(AVC_HEADER);
  body[body.length - 5] = (AVC_HEADER[AVC_HEADER.length - 5] ?? 0) + variant;
  return { type: FLV_VIDEO, timestamp, body };
}

/** An audio tag with a sequence header. */
export function audioHeader(timestamp = 0): MediaTag {
  return { type: FLV_AUDIO, timestamp, body: AAC_HEADER };
}
