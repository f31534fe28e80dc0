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
  /** In the program's order, at most {@link MAX_AUDIO_TRACKS}. */
  readonly audio: readonly SelectedAudio[];
}

/** An audio track of the source. */
export interface SelectedAudio extends SelectedTrack<'audio'> {
  /** The PID where the program has several tracks that are audio, supported or not. */
  readonly streamId: number | undefined;
  /** ISO 639-2, `undefined` where the program does not say. */
  readonly language: string | undefined;
}

/** Audio tracks that are followed: as many as a ladder can have renditions of. */
const MAX_AUDIO_TRACKS = 8;

/** Why a program has nothing to publish. */
export type SelectionFailure = { readonly reason: 'unsupported-program'; readonly detail: string };

/**
 * Takes the first video and the audio streams that are supported. An unsupported stream is passed over beside a
 * supported one of its kind and is a failure without, so that no source silently loses its sound or picture.
 */
export function selectTracks(streams: readonly ElementaryStream[]): Result<SelectedTracks, SelectionFailure> {
  const [video] = streams.flatMap(({ pid, kind }) => (kind.kind === 'video' ? [{ pid, kind }] : []));
  const audio = selectAudio(streams);
  for (const { kind, streamType } of streams) {
    if (kind.kind !== 'unsupported' || (kind.media === 'video' ? video : audio[0]) !== undefined) {
      continue;
    }
    const remedy = kind.media === 'video' ? 'video as H.264 or HEVC' : 'audio as AAC with ADTS, or Opus';
    const hex = `0x${streamType.toString(16).padStart(2, '0')}`;
    return fail({
      reason: 'unsupported-program',
      detail: `${kind.media} is ${kind.name} (stream type ${hex}), which is not supported; send ${remedy}`,
    });
  }
  if (video === undefined && audio.length === 0) {
    return fail({
      reason: 'unsupported-program',
      detail:
        'the program map table lists no video or audio; send H.264 or HEVC video, AAC or Opus audio, or both',
    });
  }
  return ok({ video, audio });
}

function selectAudio(streams: readonly ElementaryStream[]): readonly SelectedAudio[] {
  const isAudio = ({ kind }: ElementaryStream): boolean =>
    kind.kind === 'audio' || (kind.kind === 'unsupported' && kind.media === 'audio');
  const several = streams.filter(isAudio).length > 1;
  return streams
    .flatMap(({ pid, kind, language }) =>
      kind.kind === 'audio' ? [{ pid, kind, language, streamId: several ? pid : undefined }] : [],
    )
    .slice(0, MAX_AUDIO_TRACKS);
}
