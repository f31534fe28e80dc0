/** What is done to decoded audio. */

/** Lost audio becomes silence, and samples never run more than 40 ms away from the source's clock. */
const ALIGN = 'aresample=async=1:min_hard_comp=0.04';
/** Highest sample that the normaliser makes, of full scale: -1.5 dB, so that AAC does not clip. */
const PEAK = 0.84;
/** Length of a frame whose gain is chosen, milliseconds, and frames over which gain is smoothed: 0.3 s are held back. */
const FRAME_MS = 100;
const SMOOTHED_FRAMES = 5;
/** Most that silence and murmur are raised, as a factor: 20 dB. */
const MAX_GAIN = 10;

/**
 * ffmpeg's filter for an audio rendition; `loudness` is the level in dB below full scale to bring it to.
 *
 * `loudnorm` would be exact in LUFS, but its live form looks 3 s ahead, by which sound would come after its pictures.
 * `dynaudnorm` evens out the root mean square within 0.3 s: the target in LUFS for steady sound, up to 4 dB below it for
 * sound that swings quickly.
 */
export function audioFilter(loudness: number | undefined): string {
  if (loudness === undefined) {
    return ALIGN;
  }
  const level = (10 ** (loudness / 20)).toFixed(4);
  return `${ALIGN},dynaudnorm=f=${FRAME_MS}:g=${SMOOTHED_FRAMES}:p=${PEAK}:m=${MAX_GAIN}:r=${level}`;
}
