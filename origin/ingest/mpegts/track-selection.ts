/** Picks the video and audio of a program, or says why it cannot be published. */

import { fail, ok, type Result } from '#shared/result.ts';
import type { ElementaryStream } from './program.ts';

/** The tracks that make the source; at least one is there. */
export interface SelectedTracks {
  readonly videoPid: number | undefined;
  /** In the program's order, at most {@link MAX_AUDIO_TRACKS}. */
  readonly audio: readonly SelectedAudio[];
}

/** An audio track of a program. */
export interface SelectedAudio {
  readonly pid: number;
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
 * Takes the first H.264 stream and the AAC streams. An unsupported stream is passed over beside a supported one
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
  return ok({ videoPid: video?.pid, audio: selectAudio(streams) });
}

function selectAudio(streams: readonly ElementaryStream[]): readonly SelectedAudio[] {
  const isAudio = ({ kind }: ElementaryStream): boolean =>
    kind.kind === 'aac' || (kind.kind === 'unsupported' && kind.media === 'audio');
  const several = streams.filter(isAudio).length > 1;
  return streams
    .filter(({ kind }) => kind.kind === 'aac')
    .slice(0, MAX_AUDIO_TRACKS)
    .map(({ pid, language }) => ({ pid, language, streamId: several ? pid : undefined }));
}
