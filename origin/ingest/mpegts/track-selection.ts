/** Picks the video and audio of a program, or says why it cannot be published. */

import { fail, ok, type Result } from '#shared/result.ts';
import type { ElementaryStream } from './program.ts';

/** PIDs of the tracks that make the source; at least one is there. */
export interface SelectedTracks {
  readonly videoPid: number | undefined;
  readonly audioPid: number | undefined;
}

/** Why a program has nothing to publish. */
export type SelectionFailure = { readonly reason: 'unsupported-program'; readonly detail: string };

/**
 * Takes the first H.264 and the first AAC stream. An unsupported stream is passed over beside a supported one
 * of its kind and is a failure without, so that no source silently loses its sound or picture.
 */
export function selectTracks(streams: readonly ElementaryStream[]): Result<SelectedTracks, SelectionFailure> {
  const video = streams.find((stream) => stream.kind.kind === 'h264');
  const audio = streams.find((stream) => stream.kind.kind === 'aac');
  for (const { kind, streamType } of streams) {
    if (kind.kind !== 'unsupported' || (kind.media === 'video' ? video : audio) !== undefined) {
      continue;
    }
    const remedy = kind.media === 'video' ? 'video as H.264' : 'audio as AAC with ADTS';
    const hex = `0x${streamType.toString(16).padStart(2, '0')}`;
    return fail({
      reason: 'unsupported-program',
      detail: `${kind.media} is ${kind.name} (stream type ${hex}), which is not supported; send ${remedy}`,
    });
  }
  if (video === undefined && audio === undefined) {
    return fail({
      reason: 'unsupported-program',
      detail: 'the program map table lists no video or audio; send H.264 video, AAC audio or both',
    });
  }
  return ok({ videoPid: video?.pid, audioPid: audio?.pid });
}
