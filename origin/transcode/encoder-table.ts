/** Which of ffmpeg's encoders makes what, by where it runs. */

import type { EncodedCodec, EncoderChoice } from './ladder.ts';

/** An encoder as ffmpeg names it. */
export type EncoderName =
  | 'libx264'
  | 'libx265'
  | 'libsvtav1'
  | 'libaom-av1'
  | `${'h264' | 'hevc' | 'av1'}_${'nvenc' | 'vaapi' | 'qsv'}`
  | `${'h264' | 'hevc'}_videotoolbox`;

/** A kind of hardware. */
export type Hardware = Exclude<EncoderChoice, 'auto' | 'software'>;

/** A codec, and where it is to be encoded. */
export interface EncoderNeed {
  readonly codec: EncodedCodec;
  readonly choice: EncoderChoice;
  /** Render node or number of the GPU. */
  readonly device: string | undefined;
}

/** Encoders that work: {@link EncoderTable} answers which to use. */
export interface EncoderTable {
  /** Whether an encoder has been seen to work on a device. */
  works(encoder: EncoderName, device: string | undefined): boolean;
  /** The encoder for a need; with `softwareOnly` after hardware has failed. */
  choose(need: EncoderNeed, softwareOnly?: boolean): EncoderName;
}

/** Hardware in the order in which `auto` tries it. */
const AUTO_ORDER: readonly Hardware[] = ['nvenc', 'vaapi', 'qsv', 'videotoolbox'];
/** Software in the order of preference. */
export const SOFTWARE: Readonly<Record<EncodedCodec, readonly [EncoderName, ...EncoderName[]]>> = {
  h264: ['libx264'],
  hevc: ['libx265'],
  av1: ['libsvtav1', 'libaom-av1'],
};

/** Encoders to try for a need before software, in order. */
export function hardwareCandidates({ codec, choice }: EncoderNeed): readonly EncoderName[] {
  if (choice === 'software') {
    return [];
  }
  return (choice === 'auto' ? AUTO_ORDER : [choice]).flatMap((hardware) => {
    if (hardware === 'videotoolbox') {
      return codec === 'av1' ? [] : [`${codec}_${hardware}` as const];
    }
    return [`${codec}_${hardware}` as const];
  });
}

/** The kind of hardware that an encoder needs, `undefined` for software. */
export function hardwareOf(encoder: EncoderName): Hardware | undefined {
  return AUTO_ORDER.find((hardware) => encoder.endsWith(`_${hardware}`));
}

/** A table in which every encoder of `working` works; software is the last resort whether it is there or not. */
export function encoderTable(
  working: (encoder: EncoderName, device: string | undefined) => boolean,
): EncoderTable {
  return {
    works: working,
    choose: (need, softwareOnly = false) => {
      const hardware = softwareOnly ? [] : hardwareCandidates(need);
      const software = SOFTWARE[need.codec];
      const found = [
        ...hardware.filter((encoder) => working(encoder, need.device)),
        ...software.filter((encoder) => working(encoder, undefined)),
      ];
      return found[0] ?? software[0];
    },
  };
}

/** A table of what works by one or the other. */
export function eitherTable(one: EncoderTable, other: EncoderTable): EncoderTable {
  return encoderTable((encoder, device) => one.works(encoder, device) || other.works(encoder, device));
}

/** Software alone, the first of each codec: what needs no probing. */
export const SOFTWARE_ONLY: EncoderTable = encoderTable(() => false);
