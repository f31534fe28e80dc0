/** How luminance is coded, as VIDEO-RANGE (rfc8216bis §4.4.6.2) names it. */
export const VIDEO_RANGES = ['SDR', 'HLG', 'PQ'] as const;

/** One of {@link VIDEO_RANGES}. */
export type VideoRange = (typeof VIDEO_RANGES)[number];
