/** What makes samples of a feed's bytes: ffmpeg, or nothing but another framing where all is passed on as it came. */

import type { FeedContainer } from '../ingest/media-feed.ts';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import type { RenditionPlan } from '../transcode/planned-rendition.ts';

/** A stage between feed and packager, for one source. */
export interface MediaStage {
  /** Hands over bytes, one call at a time; resolves to `true` when more may follow, to `false` once it is over. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Ends the input: what the stage still holds comes out before `ended` resolves. */
  end(): void;
  /** Ends the stage at once. */
  kill(): void;
  /** Tracks once, then samples, as they come, for one reader; throws on bytes that are not what they should be. */
  readonly events: AsyncIterable<readonly FragmentEvent[]>;
  /** Resolves when the stage is over and nothing of it is left; never rejects. */
  readonly ended: Promise<StageEnd>;
}

/** How a stage ended. */
export interface StageEnd {
  /** Whether it ever ran. */
  readonly isStarted: boolean;
  /** For the log: what happened, and what to do where something can be done. */
  readonly detail: string;
}

/** Whether a plan passes everything of a feed on as it came, in the codecs that FLV has names for. */
export function isPassedOn(container: FeedContainer, { renditions }: RenditionPlan): boolean {
  const count = (kind: 'video' | 'audio'): number => renditions.filter((one) => one.kind === kind).length;
  const isCopy = renditions.every(({ encoding }) => encoding.codec === 'copy');
  return container === 'flv' && isCopy && count('video') <= 1 && count('audio') <= 1;
}
