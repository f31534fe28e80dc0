/** What playback is measured by, and how the page writes it. */

/** The state of playback at one moment; `undefined` where it is not known. */
export interface Measurement {
  /** Seconds from the camera's clock to the picture. */
  readonly latency: number | undefined;
  /** Seconds of media ahead of the picture. */
  readonly buffer: number | undefined;
  readonly rendition: { readonly height: number; readonly bitrate: number | undefined } | undefined;
  readonly droppedFrames: number | undefined;
  readonly stalls: number;
}

/** What is known while nothing plays. */
export const NOTHING_MEASURED: Measurement = {
  latency: undefined,
  buffer: undefined,
  rendition: undefined,
  droppedFrames: undefined,
  stalls: 0,
};

/** Latencies beyond this are a wrong clock rather than a delay, seconds. */
const PLAUSIBLE_LATENCY = 3_600;

/**
 * Takes the latency by EXT-X-PROGRAM-DATE-TIME (rfc8216bis §4.4.4.6) where the viewer's clock allows it, else the
 * distance from the live edge. Both in seconds.
 */
export function chooseLatency(
  byClock: number | undefined,
  byLiveEdge: number | undefined,
): number | undefined {
  if (byClock !== undefined && byClock > 0 && byClock < PLAUSIBLE_LATENCY) {
    return byClock;
  }
  return byLiveEdge !== undefined && byLiveEdge > 0 ? byLiveEdge : undefined;
}

/** Writes seconds; two decimals, since a part may be as short as 0.2 s. */
export function formatSeconds(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : `${value.toFixed(2)} s`;
}

/** Writes a rendition as its height and bit rate. */
export function formatRendition(rendition: Measurement['rendition']): string {
  if (rendition === undefined || rendition.height === 0) {
    return '–';
  }
  const { height, bitrate } = rendition;
  return bitrate === undefined ? `${height}p` : `${height}p · ${(bitrate / 1_000_000).toFixed(1)} Mb/s`;
}

/** Seconds of media buffered ahead of a position. */
export function bufferedAhead(
  ranges: readonly { readonly start: number; readonly end: number }[],
  position: number,
): number {
  const current = ranges.find(({ start, end }) => start <= position + 0.1 && position <= end);
  return current === undefined ? 0 : Math.max(0, current.end - position);
}
