/** One track on its way from a feed into samples. */

import { parseAudioSpecificConfig } from '#shared/codec/aac.ts';
import { timescale, VIDEO_TIMESCALE } from '#shared/media-time.ts';
import { writeAvc1 } from '../package/boxes/avc1.ts';
import { childBoxes, type Box } from '../package/boxes/box-tree.ts';
import { writeMp4a } from '../package/boxes/mp4a.ts';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import { describeTrack } from '../package/movie-reader.ts';
import type { Track } from '../package/sample.ts';
import { FlvFormatError } from './flv-format-error.ts';
import { FrameClock, type FrameTime } from './frame-clock.ts';

/** Which of a feed's tracks. */
export type LaneKind = 'video' | 'audio';

/** A frame as received. */
export interface Frame {
  /** Presentation less decode time, milliseconds. */
  readonly compositionTime: number;
  readonly sync: boolean;
  readonly data: Uint8Array;
}

/** Opens the lane of a track by its sequence header's configuration record; throws `FlvFormatError` on a broken one. */
export function createLane(kind: LaneKind, id: number, configuration: Uint8Array): Lane {
  return kind === 'video' ? videoLane(id, configuration) : audioLane(id, configuration);
}

/** A track, and the frames of which the clock has not said yet how long they last: one at most. */
export class Lane {
  readonly track: Track;
  readonly #clock: FrameClock;
  readonly #waiting: Frame[] = [];

  constructor(track: Track, clock: FrameClock) {
    this.track = track;
    this.#clock = clock;
  }

  /** Takes the next frame with its decode time; returns the samples that are known now. */
  push(seconds: number, frame: Frame): readonly FragmentEvent[] {
    this.#waiting.push(frame);
    return this.#samples(this.#clock.push(seconds * this.track.timescale));
  }

  /** What waited for a next frame. */
  end(): readonly FragmentEvent[] {
    return this.#samples(this.#clock.end());
  }

  #samples(times: readonly FrameTime[]): readonly FragmentEvent[] {
    return times.flatMap((time) => {
      const frame = this.#waiting.shift();
      return frame === undefined ? [] : [this.#sample(time, frame)];
    });
  }

  #sample(time: FrameTime, { compositionTime, sync, data }: Frame): FragmentEvent {
    const { decodeTime, duration, shift } = time;
    const compositionOffset = Math.round((compositionTime * this.track.timescale) / 1000) + shift;
    const sample = { decodeTime, duration, compositionOffset, sync, data };
    return { kind: 'sample', trackId: this.track.id, sample };
  }
}

function videoLane(id: number, configuration: Uint8Array): Lane {
  const entry = writeAvc1(configuration);
  if (!entry.ok) {
    throw new FlvFormatError(`AVC sequence header: ${entry.failure.detail}`);
  }
  const track = describeTrack(id, VIDEO_TIMESCALE, onlyBox(entry.value));
  return new Lane(track, new FrameClock({ timescale: VIDEO_TIMESCALE }));
}

function audioLane(id: number, configuration: Uint8Array): Lane {
  const parameters = parseAudioSpecificConfig(configuration);
  if (!parameters.ok) {
    throw new FlvFormatError(`AAC sequence header: ${parameters.failure.detail}`);
  }
  const { sampleRate, frameSamples: frameTicks } = parameters.value;
  const scale = timescale(sampleRate);
  const track = describeTrack(id, scale, onlyBox(writeMp4a(configuration, parameters.value)));
  return new Lane(track, new FrameClock({ timescale: scale, frameTicks }));
}

function onlyBox(bytes: Uint8Array): Box {
  const [box] = childBoxes('stsd', bytes);
  if (box === undefined) {
    throw new FlvFormatError('no sample entry was written');
  }
  return box;
}
