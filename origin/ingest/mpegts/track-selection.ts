/** Picks the video and audio of a program, or says why it cannot be published. */

import { fail, ok, type Result } from '#shared/result.ts';
import type { ElementaryStream } from './program.ts';
import type { StreamKind } from './stream-type.ts';

/** A track of the source: where it is and what it is. */
export interface SelectedTrack<Kind extends 'video' | 'audio'> {
  readonly pid: number;
  readonly kind: Extract<StreamKind, { readonly kind: Kind }>;
}

/** The tracks that make the source; at least one is there. */
export interface SelectedTracks {
  readonly video: SelectedTrack<'video'> | undefined;
  readonly audio: SelectedTrack<'audio'> | undefined;
}

/** Why a program has nothing to publish. */
export type SelectionFailure = { readonly reason: 'unsupported-program'; readonly detail: string };

/**
 * Takes the first video and the first audio stream that is supported. An unsupported stream is passed over beside a supported one
 * of its kind and is a failure without, so that no source silently loses its sound or picture.
 */
export function selectTracks(streams: readonly ElementaryStream[]): Result<SelectedTracks, SelectionFailure> {
  const [video] = streams.flatMap(({ pid, kind }) => (kind.kind === 'video' ? [{ pid, kind }] : []));
  const [audio] = streams.flatMap(({ pid, kind }) => (kind.kind === 'audio' ? [{ pid, kind }] : []));
  for (const { kind, streamType } of streams) {
    if (kind.kind !== 'unsupported' || (kind.media === 'video' ? video : audio) !== undefined) {
      continue;
    }
    const remedy = kind.media === 'video' ? 'video as H.264 or HEVC' : 'audio as AAC with ADTS, or Opus';
    const hex = `0x${streamType.toString(16).padStart(2, '0')}`;
    return fail({
      reason: 'unsupported-program',
      detail: `${kind.media} is ${kind.name} (stream type ${hex}), which is not supported; send ${remedy}`,
    });
  }
  if (video === undefined && audio === undefined) {
    return fail({
      reason: 'unsupported-program',
      detail:
        'the program map table lists no video or audio; send H.264 or HEVC video, AAC or Opus audio, or both',
    });
  }
  return ok({ video, audio });
}
