import { describe, expect, it } from 'vitest';
import { seconds } from '#shared/media-time.ts';
import type { FeedContainer, SourceProperties } from '../ingest/media-feed.ts';
import { ffmpegArguments } from './arguments.ts';
import { encoderTable, SOFTWARE_ONLY, type EncoderTable } from './encoder-table.ts';
import { ladderSchema } from './ladder.ts';
import { planRenditions } from './rendition-plan.ts';

const video = { codec: 'h264', width: 1280, height: 720, frameRate: 30000 / 1001 } as const;
const audio = { codec: 'aac', sampleRate: 48_000, channels: 2 } as const;
const aac = { name: 'audio', codec: 'aac', bitrate: 128_000 };

const MUXER =
  'f=mp4:movflags=+empty_moov+default_base_moof+frag_discont:frag_duration=1:use_editlist=0:' +
  'use_stream_ids_as_track_ids=1:video_track_timescale=90000:avoid_negative_ts=disabled:flush_packets=1';

/** The command line, one line for each of its sections. */
function commandLine(
  container: FeedContainer,
  source: SourceProperties,
  ladder: unknown,
  encoders: EncoderTable = SOFTWARE_ONLY,
): string {
  const plan = planRenditions({ source, container, ladder: ladderSchema.parse(ladder), encoders });
  if (!plan.ok) {
    throw new Error(plan.failure.detail);
  }
  return ffmpegArguments({ container, plan: plan.value, segmentDuration: seconds(2) })
    .join(' ')
    .replaceAll(MUXER, '(mp4)')
    .replaceAll(/ (?=-protocol_whitelist|-init_hw_device|-filter_complex|-map|-copytb|-f tee)/g, '\n');
}

describe('ffmpegArguments', () => {
  it.each([
    ['hevc', 'hvc1'],
    ['av1', 'av01'],
    ['vp9', 'vp09'],
  ] as const)('copies %s and Opus out of Matroska under the sample entries %s and Opus', (codec, entry) => {
    const source: SourceProperties = { video: { ...video, codec }, audio: { ...audio, codec: 'opus' } };
    const ladder = { video: [{ name: 'source', codec: 'copy' }], audio: { ...aac, codec: 'copy' } };
    const line = commandLine('matroska', source, ladder);
    expect(line).toContain('-f matroska -i pipe:0');
    expect(line).toContain(`-c:v:0 copy -tag:v:0 ${entry} -bsf:v:0 setts=`);
    expect(line).toContain('-map 0:a:0 -c:a:0 copy -tag:a:0 Opus');
  });

  it('scales the decoded picture for each rung and forces their key frames onto one grid', () => {
    const ladder = {
      video: [
        { name: '720p', codec: 'h264', height: 720, bitrate: 2_800_000, maxBitrate: 3_000_000 },
        { name: '360p', codec: 'h264', height: 360, bitrate: 800_000, preset: 'veryfast', profile: 'main' },
      ],
      audio: aac,
    };
    const grid =
      'expr:if(isnan(prev_forced_t),st(0,t)*0+1,' +
      'gt(floor((t-ld(0)+0.005)/2),floor((prev_forced_t-ld(0)+0.005)/2)))';
    expect(commandLine('flv', { video, audio }, ladder)).toBe(
      `-hide_banner -nostdin -nostats -loglevel warning
-protocol_whitelist pipe -probesize 500000 -analyzeduration 50000 -fpsprobesize 0 -thread_type slice -noautorotate -itsoffset 5 -f live_flv -i pipe:0
-filter_complex [0:v:0]split=2[s0][s1];[s0]scale=1280:720:flags=bicubic,format=yuv420p[v0];[s1]scale=640:360:flags=bicubic,format=yuv420p[v1]
-map [v0] -c:v:0 libx264 -preset:v:0 superfast -tune:v:0 zerolatency -profile:v:0 high -sc_threshold:v:0 0 -a53cc:v:0 1 -x264-params:v:0 fps=29.97 -b:v:0 2800000 -maxrate:v:0 3000000 -bufsize:v:0 3000000 -g:v:0 100000 -bf:v:0 0 -flags:v:0 +cgop+global_header -enc_time_base:v:0 1:90000 -force_key_frames:v:0 ${grid} -fps_mode:v:0 passthrough
-map [v1] -c:v:1 libx264 -preset:v:1 veryfast -tune:v:1 zerolatency -profile:v:1 main -sc_threshold:v:1 0 -a53cc:v:1 1 -x264-params:v:1 fps=29.97 -b:v:1 800000 -maxrate:v:1 960000 -bufsize:v:1 960000 -g:v:1 100000 -bf:v:1 0 -flags:v:1 +cgop+global_header -enc_time_base:v:1 1:90000 -force_key_frames:v:1 ${grid} -fps_mode:v:1 passthrough
-map 0:a:0 -c:a:0 aac -b:a:0 128000 -ar:a:0 48000 -ac:a:0 2 -filter:a:0 aresample=async=1:min_hard_comp=0.04
-map 0:v:0 -c:v:2 copy -bsf:v:2 setts=pts=PTS+1/TB:dts=DTS+1/TB
-copytb 1 -max_interleave_delta 1 -streamid 0:1 -streamid 1:2 -streamid 2:3
-f tee [select=0:(mp4)]pipe:1|[select=1:(mp4)]pipe:1|[select=2:(mp4)]pipe:1`,
    );
  });

  it('copies video and audio as they are, with key frames of encoded rungs at those of the source', () => {
    const ladder = {
      video: [
        { name: 'source', codec: 'copy' },
        { name: '360p', codec: 'h264', height: 360, bitrate: 800_000, encoder: 'nvenc' },
      ],
      audio: { ...aac, codec: 'copy' },
    };
    const works = encoderTable(() => true);
    expect(commandLine('flv', { video: { ...video, frameRate: undefined }, audio }, ladder, works)).toBe(
      `-hide_banner -nostdin -nostats -loglevel warning
-protocol_whitelist pipe -probesize 500000 -analyzeduration 50000 -fpsprobesize 0 -thread_type slice -noautorotate -itsoffset 5 -f live_flv -i pipe:0
-filter_complex [0:v:0]split=1[s1];[s1]scale=640:360:flags=bicubic,format=yuv420p[v1]
-map 0:v:0 -c:v:0 copy -tag:v:0 avc1
-map [v1] -c:v:1 h264_nvenc -preset:v:1 p3 -tune:v:1 ull -profile:v:1 high -a53cc:v:1 1 -no-scenecut:v:1 1 -forced-idr:v:1 1 -zerolatency:v:1 1 -delay:v:1 0 -b:v:1 800000 -maxrate:v:1 960000 -bufsize:v:1 960000 -g:v:1 100000 -bf:v:1 0 -flags:v:1 +cgop+global_header -enc_time_base:v:1 1:90000 -force_key_frames:v:1 source -fps_mode:v:1 passthrough
-map 0:a:0 -c:a:0 copy -tag:a:0 mp4a
-map 0:v:0 -c:v:2 copy -bsf:v:2 setts=pts=PTS+1/TB:dts=DTS+1/TB
-copytb 1 -max_interleave_delta 1 -streamid 0:1 -streamid 1:2 -streamid 2:3
-f tee [select=0:(mp4)]pipe:1|[select=1:(mp4)]pipe:1|[select=2:(mp4)]pipe:1`,
    );
  });

  it('reads MPEG-TS, and leaves out what the source does not carry', () => {
    const ladder = { video: [{ name: 'source', codec: 'copy' }], audio: aac };
    const input =
      '-hide_banner -nostdin -nostats -loglevel warning\n' +
      '-protocol_whitelist pipe -probesize 500000 -analyzeduration 50000 -fpsprobesize 0 ' +
      '-thread_type slice -noautorotate -itsoffset 5 -f mpegts -i pipe:0\n';
    const output = '\n-copytb 1 -max_interleave_delta 1 -streamid 0:1\n-f tee [select=0:(mp4)]pipe:1';
    expect(commandLine('mpegts', { video, audio: undefined }, ladder)).toBe(
      `${input}-map 0:v:0 -c:v:0 copy -tag:v:0 avc1${output}`,
    );
    expect(commandLine('mpegts', { video: undefined, audio: { ...audio, channels: 1 } }, ladder)).toBe(
      `${input}-map 0:a:0 -c:a:0 aac -b:a:0 128000 -ar:a:0 48000 -ac:a:0 1 -filter:a:0 aresample=async=1:min_hard_comp=0.04${output}`,
    );
  });

  it('has hevc as hvc1 and av1 beside h264, with key frames on the same grid', () => {
    const codecs = ['hevc', 'av1'].map((codec) => ({ name: codec, codec, height: 180, bitrate: 200_000 }));
    const line = commandLine('flv', { video, audio: undefined }, { video: codecs, audio: null });
    const grid =
      'expr:if(isnan(prev_forced_t),st(0,t)*0+1,' +
      'gt(floor((t-ld(0)+0.005)/2),floor((prev_forced_t-ld(0)+0.005)/2)))';
    expect(line.split('\n').filter((each) => each.startsWith('-map [v'))).toEqual([
      `-map [v0] -c:v:0 libx265 -preset:v:0 ultrafast -tune:v:0 zerolatency -profile:v:0 main -forced-idr:v:0 1 -x265-params:v:0 log-level=error:scenecut=0:open-gop=0:repeat-headers=0:fps=29.97 -b:v:0 200000 -maxrate:v:0 240000 -bufsize:v:0 240000 -g:v:0 100000 -bf:v:0 0 -flags:v:0 +cgop+global_header -tag:v:0 hvc1 -enc_time_base:v:0 1:90000 -force_key_frames:v:0 ${grid} -fps_mode:v:0 passthrough`,
      `-map [v1] -c:v:1 libsvtav1 -preset:v:1 10 -svtav1-params:v:1 pred-struct=1:scd=0:rc=2 -b:v:1 200000 -g:v:1 100000 -bf:v:1 0 -flags:v:1 +cgop+global_header -enc_time_base:v:1 1:90000 -force_key_frames:v:1 ${grid} -fps_mode:v:1 passthrough`,
    ]);
  });

  it('makes fields progressive, turns the picture and uploads it to vaapi', () => {
    const ladder = {
      video: [{ name: '360p', codec: 'hevc', height: 360, bitrate: 800_000, quality: 24, bufferSeconds: 2 }],
      audio: null,
      ...{ encoder: 'vaapi', device: '/dev/dri/renderD128', deinterlace: 'fields' },
    };
    const source = { video: { ...video, interlaced: true, rotation: 90 as const }, audio: undefined };
    const lines = commandLine(
      'flv',
      source,
      ladder,
      encoderTable(() => true),
    ).split('\n');
    expect(lines[1]).toBe('-init_hw_device vaapi=va:/dev/dri/renderD128 -filter_hw_device va');
    expect(lines[3]).toBe(
      '-filter_complex [0:v:0]bwdif=mode=send_field:parity=auto:deint=interlaced,transpose=clock,split=1[s0];[s0]scale=360:640:flags=bicubic,format=nv12,hwupload[v0]',
    );
    expect(lines[4]).toContain(
      '-c:v:0 hevc_vaapi -profile:v:0 main -async_depth:v:0 1 -rc_mode:v:0 QVBR -global_quality:v:0 24 -b:v:0 800000 -maxrate:v:0 960000 -bufsize:v:0 1920000',
    );
  });

  it('takes each language by its PID, and evens out loudness where asked', () => {
    const source = {
      video: undefined,
      audio: { ...audio, language: 'eng', streamId: 257 },
      moreAudio: [{ ...audio, language: 'ger', streamId: 259 }],
    };
    const line = commandLine('mpegts', source, { video: [], audio: { ...aac, loudness: { target: -16 } } });
    expect(line.split('\n').filter((each) => each.startsWith('-map'))).toEqual(
      [257, 259].map(
        (pid, index) =>
          `-map 0:i:${pid} -c:a:${index} aac -b:a:${index} 128000 -ar:a:${index} 48000 -ac:a:${index} 2 -filter:a:${index} aresample=async=1:min_hard_comp=0.04,dynaudnorm=f=100:g=5:p=0.84:m=10:r=0.1585`,
      ),
    );
  });
});
