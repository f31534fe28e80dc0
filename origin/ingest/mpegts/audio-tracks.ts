/** What is known of a program's audio tracks, from the frames of each. */

import type { SourceAudio } from '../media-feed.ts';
import { probeAudio } from './elementary.ts';
import type { SelectedAudio } from './track-selection.ts';

/** The audio tracks of a program. */
export class AudioTracks {
  readonly #selected: readonly SelectedAudio[];
  readonly #known = new Map<number, SourceAudio>();

  constructor(selected: readonly SelectedAudio[]) {
    this.#selected = selected;
  }

  /** Whether a PID is one of the tracks'. */
  has(pid: number): boolean {
    return this.#selected.some((track) => track.pid === pid);
  }

  /** Whether some track has not shown itself. */
  get isIncomplete(): boolean {
    return this.#known.size < this.#selected.length;
  }

  /** The tracks that are known, in the program's order. */
  get known(): readonly SourceAudio[] {
    return this.#selected.flatMap(({ pid }) => this.#known.get(pid) ?? []);
  }

  /** Takes the payload of a PES packet: whether it tells something new, `undefined` where it tells nothing. */
  take(pid: number, payload: Uint8Array): 'new' | 'same' | undefined {
    const before = this.#known.get(pid);
    const track = this.#selected.find((each) => each.pid === pid);
    const found = track && probeAudio(track.kind, payload, before === undefined);
    if (found === undefined || track === undefined) {
      return undefined;
    }
    const { language, streamId } = track;
    this.#known.set(pid, {
      ...found,
      ...(language === undefined ? {} : { language }),
      ...(streamId === undefined ? {} : { streamId }),
    });
    const same = found.sampleRate === before?.sampleRate && found.channels === before.channels;
    return same ? 'same' : 'new';
  }
}
