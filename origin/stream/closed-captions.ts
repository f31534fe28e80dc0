/** What an epoch announces of closed captions: as configured, or as its first pictures say. */

import type { ClosedCaptionsDescription } from '#shared/wire/publish.ts';
import type { CaptionDetector } from '../package/caption-detector.ts';
import type { Track } from '../package/sample.ts';
import type { CaptionSettings } from '../transcode/ladder-captions.ts';

/** Channels of an epoch, empty where there are none, and which of its tracks carry them. */
export interface ClosedCaptions {
  readonly channels: readonly ClosedCaptionsDescription[];
  readonly isIn: (track: Track) => boolean;
}

/**
 * Describes the captions of a run whose first pictures the detector has seen. Configured channels may begin later: any
 * track of H.264 may carry them then.
 */
export function closedCaptions(settings: CaptionSettings, detector: CaptionDetector): ClosedCaptions {
  if (settings === 'none') {
    return { channels: [], isIn: () => false };
  }
  if (settings === 'auto') {
    const channels = detector.channels.map((channel) => ({ channel }));
    return { channels, isIn: (track) => detector.has(track.id) };
  }
  return {
    channels: settings.map(({ channel, language, name }) => ({ channel, language, label: name })),
    isIn: (track) => track.codecs.startsWith('avc1') || detector.has(track.id),
  };
}
