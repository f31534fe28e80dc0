/** Chooses one video and one audio track of a multitrack source, Enhanced RTMP v2 "Multitrack". */

import type { TrackTag } from './codec-tag.ts';
import { FLV_VIDEO } from './flv-tag.ts';

/** Carries the first track of each kind that speaks; it is the encoder's own default, number 0 as a rule. */
export class TrackChoice {
  readonly #carried = new Map<number, number>();
  readonly #others = new Set<string>();
  #notice: string | undefined;

  /** Whether the tag, whose FLV type is `type`, belongs to the track that is carried. */
  isCarried(type: number, tag: TrackTag): boolean {
    if (tag.kind === 'ignored') {
      return true;
    }
    const carried = this.#carried.get(type) ?? tag.track;
    this.#carried.set(type, carried);
    if (carried === tag.track) {
      return true;
    }
    const other = `${type}/${tag.track}`;
    if (!this.#others.has(other)) {
      this.#others.add(other);
      const kind = type === FLV_VIDEO ? 'video' : 'audio';
      this.#notice = `${kind} track ${tag.track} is not carried: of each kind only the first track is, ${kind} track ${carried}`;
    }
    return false;
  }

  /** What the log should say, once for each track. */
  takeNotice(): string | undefined {
    const notice = this.#notice;
    this.#notice = undefined;
    return notice;
  }
}
