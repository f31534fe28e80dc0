/** Finds closed captions in the first pictures of a run. */

import { readCaptions, type CaptionPresence } from '#shared/codec/captions.ts';
import type { Sample, Track } from './sample.ts';

/** How a codec's NAL units say that they are SEI before the picture. */
interface SeiForm {
  readonly headerBytes: number;
  readonly isSei: (firstByte: number) => boolean;
}

const H264: SeiForm = { headerBytes: 1, isSei: (byte) => (byte & 0x1f) === 6 };
const HEVC: SeiForm = { headerBytes: 2, isSei: (byte) => ((byte >> 1) & 0x3f) === 39 };
/** Bytes of the length before each NAL unit where the configuration cannot be read. */
const LENGTH_BYTES = 4;
/** Where `avcC` and `hvcC` say how long that length is, from the box's type on. */
const LENGTH_SIZE_AT = { avcC: 4 + 4, hvcC: 4 + 21 };
/** Most NAL units of a picture that are looked at: SEI comes before its slices. */
const MAX_UNITS = 16;

/** Which tracks carry captions, and in which channels. */
export class CaptionDetector {
  readonly #forms: ReadonlyMap<number, SeiForm & { readonly lengthBytes: number }>;
  readonly #tracks = new Set<number>();
  readonly #channels = new Set<string>();
  #services = false;

  constructor(tracks: readonly Track[]) {
    this.#forms = new Map(tracks.flatMap((track) => formOf(track) ?? []));
  }

  /** Looks at a picture. */
  take(trackId: number, sample: Sample): void {
    const form = this.#forms.get(trackId);
    if (form === undefined) {
      return;
    }
    for (const unit of leadingUnits(sample.data, form.lengthBytes)) {
      const found = form.isSei(unit[0] ?? 0) ? readCaptions(unit.subarray(form.headerBytes)) : undefined;
      if (found !== undefined) {
        this.#tracks.add(trackId);
        this.#note(found);
      }
    }
  }

  /** Whether a track has captions. */
  has(trackId: number): boolean {
    return this.#tracks.has(trackId);
  }

  /** INSTREAM-IDs; services of CEA-708 only where there is nothing of CEA-608, which they usually repeat. */
  get channels(): readonly string[] {
    return this.#channels.size === 0 && this.#services ? ['SERVICE1'] : [...this.#channels].toSorted();
  }

  #note(found: CaptionPresence): void {
    if (found.fieldOne) {
      this.#channels.add('CC1');
    }
    if (found.fieldTwo) {
      this.#channels.add('CC3');
    }
    this.#services ||= found.services;
  }
}

function formOf(track: Track): readonly [number, SeiForm & { readonly lengthBytes: number }][] | undefined {
  if (track.codecs.startsWith('avc1')) {
    return [[track.id, { ...H264, lengthBytes: lengthBytesOf(track.sampleEntry, 'avcC') }]];
  }
  return track.codecs.startsWith('hvc1')
    ? [[track.id, { ...HEVC, lengthBytes: lengthBytesOf(track.sampleEntry, 'hvcC') }]]
    : undefined;
}

function lengthBytesOf(sampleEntry: Uint8Array, type: keyof typeof LENGTH_SIZE_AT): number {
  const at = new TextDecoder('latin1').decode(sampleEntry).indexOf(type);
  const size = at < 0 ? undefined : sampleEntry[at + LENGTH_SIZE_AT[type]];
  return size === undefined ? LENGTH_BYTES : (size & 0b11) + 1;
}

function* leadingUnits(data: Uint8Array, lengthBytes: number): Generator<Uint8Array> {
  let at = 0;
  for (let count = 0; count < MAX_UNITS && at + lengthBytes < data.length; count += 1) {
    const length = data.subarray(at, at + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    yield data.subarray(at + lengthBytes, at + lengthBytes + length);
    at += lengthBytes + length;
  }
}
