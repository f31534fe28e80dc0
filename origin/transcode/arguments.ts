/**
 * The ffmpeg command line of a stream: the feed on standard input, fragmented MP4 on standard output.
 *
 * Every rendition has an MP4 muxer of its own behind ffmpeg's `tee`, all writing to one pipe. A muxer shared by
 * several tracks ends a fragment of all of them whenever one has a frame, with a guessed duration for the
 * others, and then moves the next frame's time stamp to fit the guess. Alone, a track's fragment ends when its
 * next frame has come, so its duration is exact and no track waits for another.
 */

import { VIDEO_TIMESCALE, type Seconds } from '#shared/media-time.ts';
import type { FeedContainer } from '../ingest/media-feed.ts';
import { audioFilter } from './audio-filter.ts';
import { deviceOptions, encoderInput, encoderOptions } from './encoder-options.ts';
import { pictureFilters } from './picture-filters.ts';
import type {
  AudioRendition,
  PictureTreatment,
  PlannedRendition,
  RenditionPlan,
  VideoRendition,
} from './planned-rendition.ts';

/**
 * Output time of the source's first frame, seconds: keeps reordered frames and encoder delay above zero, and
 * stays below the 10 s from which ffmpeg takes a first time stamp for a jump.
 */
const CLOCK_OFFSET_SECONDS = 5;
/** Seconds by which a frame may miss the key frame grid: RTMP time stamps are rounded to a millisecond. */
const GRID_TOLERANCE_SECONDS = 0.005;

/** Of FLV's demuxers, only the live one repairs time stamps that jump back. */
const DEMUXERS = { flv: 'live_flv', mpegts: 'mpegts', matroska: 'matroska' };
/** Sample entries of MP4: what other containers use as a codec's tag is none of MP4's. */
const COPY_TAGS = { h264: 'avc1', hevc: 'hvc1', av1: 'av01', vp9: 'vp09', aac: 'mp4a', opus: 'Opus' };

/**
 * Matroska has no decode times. Before the first that ffmpeg can work out of reordered pictures, it counts some up to
 * zero instead of up to the first picture where a rung is also decoded.
 */
const FIRST_DECODE_TIMES = "setts=pts=PTS:dts='if(lt(DTS,STARTPTS-1/TB),DTS+STARTPTS,DTS)'";

/** How far ffmpeg reads ahead to learn what a feed carries; more would only delay the start. */
const PROBING = { bytes: '500000', microseconds: '50000' };

/** What a command line is made of. */
export interface TranscodeInput {
  readonly container: FeedContainer;
  readonly plan: RenditionPlan;
  /** Distance of key frames where no rung is a copy. */
  readonly segmentDuration: Seconds;
}

/**
 * Builds the arguments. The output has one track per rendition of the plan, IDs from 1 in its order; each `moof`
 * holds one frame of one track. The file starts with one `ftyp` and `moov` per track; see `joinInits`.
 */
export function ffmpegArguments(input: TranscodeInput): readonly string[] {
  const video = input.plan.renditions.filter((rendition) => rendition.kind === 'video');
  const audio = input.plan.renditions.filter((rendition) => rendition.kind === 'audio');
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    '-loglevel',
    'warning',
    ...hardwareArguments(video),
    ...inputArguments(input.container),
    ...filterArguments(video, input.plan.picture),
    ...video.flatMap((rendition, index) =>
      videoArguments(rendition, index, { keyFrames: keyFrameRule(input, video), container: input.container }),
    ),
    ...audio.flatMap((rendition, index) => audioArguments(rendition, index)),
    ...muxerArguments(input.plan.renditions),
  ];
}

function hardwareArguments(video: readonly VideoRendition[]): readonly string[] {
  const encodings = video.flatMap(({ encoding }) => (encoding.codec === 'copy' ? [] : [encoding]));
  const encoders = encodings.map(({ encoder }) => encoder);
  return deviceOptions(encoders, encodings[0]?.device);
}

function inputArguments(container: FeedContainer): readonly string[] {
  return [
    '-protocol_whitelist',
    'pipe',
    '-probesize',
    PROBING.bytes,
    '-analyzeduration',
    PROBING.microseconds,
    '-fpsprobesize',
    '0',
    // Decoding frames side by side would hold back one frame per core.
    '-thread_type',
    'slice',
    // Pictures are turned by the plan alone, which knows their size then.
    '-noautorotate',
    '-itsoffset',
    String(CLOCK_OFFSET_SECONDS),
    '-f',
    DEMUXERS[container],
    '-i',
    'pipe:0',
  ];
}

/** One decoded picture, made progressive and upright, then scaled for each encoded rung. */
function filterArguments(video: readonly VideoRendition[], picture: PictureTreatment): readonly string[] {
  const scaled = video.flatMap(({ width, height, encoding }, index) =>
    encoding.codec === 'copy'
      ? []
      : [{ index, chain: `scale=${width}:${height}:flags=bicubic,${encoderInput(encoding.encoder)}` }],
  );
  if (scaled.length === 0) {
    return [];
  }
  const outputs = scaled.map(({ index }) => `[s${index}]`).join('');
  const split = [...pictureFilters(picture), `split=${scaled.length}${outputs}`].join(',');
  const chains = scaled.map(({ index, chain }) => `[s${index}]${chain}[v${index}]`);
  return ['-filter_complex', [`[0:v:0]${split}`, ...chains].join(';')];
}

/**
 * Where encoded rungs have key frames. Beside a copy they follow the source; otherwise they lie on a grid that
 * starts at the first frame, so that a late frame or a gap never shifts those after it.
 */
function keyFrameRule(input: TranscodeInput, video: readonly VideoRendition[]): string {
  if (video.some((rendition) => rendition.encoding.codec === 'copy')) {
    return 'source';
  }
  const cell = (time: string): string =>
    `floor((${time}-ld(0)+${GRID_TOLERANCE_SECONDS})/${input.segmentDuration})`;
  return `expr:if(isnan(prev_forced_t),st(0,t)*0+1,gt(${cell('t')},${cell('prev_forced_t')}))`;
}

function videoArguments(
  rendition: VideoRendition,
  index: number,
  { keyFrames, container }: { readonly keyFrames: string; readonly container: FeedContainer },
): readonly string[] {
  if (rendition.encoding.codec === 'copy') {
    const tag = COPY_TAGS[rendition.encoding.of];
    const repair = container === 'matroska' ? [`-bsf:v:${index}`, FIRST_DECODE_TIMES] : [];
    return ['-map', '0:v:0', `-c:v:${index}`, 'copy', `-tag:v:${index}`, tag, ...repair];
  }
  return [
    '-map',
    `[v${index}]`,
    ...encoderOptions(rendition.encoding, index, rendition.frameRate),
    `-force_key_frames:v:${index}`,
    keyFrames,
    `-fps_mode:v:${index}`,
    'passthrough',
  ];
}

function audioArguments(rendition: AudioRendition, index: number): readonly string[] {
  const { streamId, encoding } = rendition;
  // By its PID: ffmpeg counts tracks of codecs that are passed over as well.
  const map = ['-map', streamId === undefined ? '0:a:0' : `0:i:${streamId}`, `-c:a:${index}`];
  if (encoding.codec === 'copy') {
    return [...map, 'copy', `-tag:a:${index}`, COPY_TAGS[encoding.of]];
  }
  return [
    ...map,
    'aac',
    `-b:a:${index}`,
    String(encoding.bitrate),
    `-ar:a:${index}`,
    String(rendition.sampleRate),
    `-ac:a:${index}`,
    String(rendition.channels),
    `-filter:a:${index}`,
    audioFilter(encoding.loudness),
  ];
}

function muxerArguments(renditions: readonly PlannedRendition[]): readonly string[] {
  const ids = renditions.map((_, index) => index);
  return [
    ...paceArguments(renditions),
    '-copytb',
    '1',
    '-max_interleave_delta',
    '1',
    ...ids.flatMap((id) => ['-streamid', `${id}:${id + 1}`]),
    '-f',
    'tee',
    renditions.map((rendition, id) => `[select=${id}:${muxerOptions(rendition)}]pipe:1`).join('|'),
  ];
}

function muxerOptions({ encoding }: PlannedRendition): string {
  // libaom has no sequence header to put into the file's before it has encoded a frame.
  const isLate = 'encoder' in encoding && encoding.encoder === 'libaom-av1';
  return [
    'f=mp4',
    `movflags=+${isLate ? 'delay_moov' : 'empty_moov'}+default_base_moof+frag_discont`,
    'frag_duration=1',
    'use_editlist=0',
    'use_stream_ids_as_track_ids=1',
    `video_track_timescale=${VIDEO_TIMESCALE}`,
    'avoid_negative_ts=disabled',
    'flush_packets=1',
  ].join(':');
}

/**
 * ffmpeg sorts the packets of several tracks by time and so keeps each back until a later one comes. One more
 * copy of the video, a second ahead and in no file, is always later: nothing waits.
 */
function paceArguments(renditions: readonly PlannedRendition[]): readonly string[] {
  const videos = renditions.filter((rendition) => rendition.kind === 'video').length;
  if (videos === 0 || renditions.length === 1) {
    return [];
  }
  return ['-map', '0:v:0', `-c:v:${videos}`, 'copy', `-bsf:v:${videos}`, 'setts=pts=PTS+1/TB:dts=DTS+1/TB'];
}
