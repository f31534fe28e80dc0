/** A real encoder's stream, recorded once by a player of every rendition; numbers as in docs/ll-hls.md. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchMedia, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';
import { tagsAfterParts } from './playlist-lines.ts';
import { readSegments, recordRendition, type RecordedSegment, type Recording } from './recording.ts';

const RECORDED_MS = 12_000;
const PART_TARGET = 0.5;
const TARGET_DURATION = 1;
const WINDOW_SEGMENTS = 8;
/** An audio frame of 1,024 samples at 48 kHz, seconds: audio is cut at the last one before the picture's cut. */
const AUDIO_FRAME = 1024 / 48_000;
/** Durations are written to the microsecond. */
const MICROSECOND = 0.000_001;
/** A part on this machine's own link, while everything else runs beside it. */
const DOWNLOAD_LIMIT_MS = 250;
const CONFIG = {
  partTarget: PART_TARGET,
  segmentDuration: TARGET_DURATION,
  dvr: WINDOW_SEGMENTS,
  ladder: {
    video: [
      { name: 'source', codec: 'copy' },
      { name: '90p', codec: 'h264', height: 90, bitrate: 150_000, preset: 'ultrafast' },
    ],
    audio: { name: 'audio', codec: 'aac', bitrate: 96_000 },
  },
};

let rill: RillInstance;
let publisher: StampedPublisher;
let multivariant: string;
let recordings: ReadonlyMap<string, Recording>;
let inits: ReadonlyMap<string, Uint8Array>;
let segments: readonly RecordedSegment[];

beforeAll(async () => {
  rill = await startRill(CONFIG);
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', 'live', '--rtmp'), gopSeconds: 1 });
  const playUrl = await rill.rill('play-url', 'live');
  const found = await until('all renditions', async () => {
    const variants = await fetchVariants(playUrl);
    return variants.variants.length === 2 && variants.audio.length === 1 ? variants : undefined;
  });
  const urls = [...found.variants, ...found.audio];
  const recorded = await Promise.all(urls.map((url) => recordRendition(url, RECORDED_MS)));
  recordings = new Map(recorded.map((one) => [one.url.split('/').at(-2) ?? '', one]));
  multivariant = (await fetchVariants(playUrl)).text;
  inits = new Map(
    await Promise.all(
      [...recordings].map(
        async ([name, { url, playlists }]) =>
          [name, await fetchMedia(url, playlists[0]?.init ?? '')] as const,
      ),
    ),
  );
  segments = (
    await Promise.all(
      [...recordings].map(([name, one]) => readSegments(name, one, inits.get(name) ?? new Uint8Array())),
    )
  ).flat();
});

afterAll(async () => {
  await publisher?.stop();
  await rill?.stop();
});

const everyPlaylist = (): readonly string[] =>
  [...recordings.values()].flatMap(({ playlists }) => playlists.map((playlist) => playlist.text));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('the recording is long enough for what follows', () => {
  expect(recordings.size).toBe(3);
  expect(segments.length).toBeGreaterThan(3 * WINDOW_SEGMENTS);
  expect(segments.every(({ packets }) => packets.length > 0)).toBe(true);
});

describe('rule 1: the multivariant playlist', () => {
  const attribute = (line: string, name: string): string | undefined =>
    new RegExp(`[:,]${name}=("[^"]*"|[^,]*)`).exec(line)?.[1]?.replaceAll('"', '');
  const variantOf = (name: string): string =>
    multivariant.split('\n').find((_, index, lines) => lines[index + 1]?.startsWith(`${name}/`)) ?? '';
  const peakOf = (name: string): number =>
    Math.max(
      ...segments.filter((one) => one.rendition === name).map((one) => (one.bytes.length * 8) / one.duration),
    );

  test('has EXT-X-INDEPENDENT-SEGMENTS, an audio group, and its media type', async () => {
    const answer = await fetch(await rill.rill('play-url', 'live'));
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(multivariant).toContain('\n#EXT-X-INDEPENDENT-SEGMENTS\n');
    expect(multivariant).toMatch(/^#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",.*DEFAULT=YES/m);
    expect(multivariant.match(/^#EXT-X-STREAM-INF:.*AUDIO="audio",CLOSED-CAPTIONS=NONE$/gm)).toHaveLength(2);
  });

  test.each(['source', '90p'])('BANDWIDTH of %s is a peak that no segment exceeds', (name) => {
    const bandwidth = Number(attribute(variantOf(name), 'BANDWIDTH'));
    const average = Number(attribute(variantOf(name), 'AVERAGE-BANDWIDTH'));
    expect(bandwidth).toBeGreaterThanOrEqual(peakOf(name) + peakOf('audio'));
    expect(average).toBeGreaterThan(0);
    expect(average).toBeLessThanOrEqual(bandwidth);
  });

  test.each([
    ['source', '640x360'],
    ['90p', '160x90'],
  ])('CODECS of %s are those of its init segment, with RESOLUTION and FRAME-RATE', (name, resolution) => {
    const init = Buffer.from(inits.get(name) ?? []);
    const configuration = init.indexOf('avcC') + 4;
    const profile = init.subarray(configuration + 1, configuration + 4).toString('hex');
    expect(attribute(variantOf(name), 'CODECS')?.toLowerCase()).toBe(`avc1.${profile},mp4a.40.2`);
    expect(attribute(variantOf(name), 'RESOLUTION')).toBe(resolution);
    expect(attribute(variantOf(name), 'FRAME-RATE')).toBe('30.000');
  });
});

test('rule 2: EXT-X-TARGETDURATION never changes and no EXTINF rounds to more', () => {
  const targets = new Set(everyPlaylist().map((text) => /^#EXT-X-TARGETDURATION:(.*)$/m.exec(text)?.[1]));
  expect([...targets]).toEqual([String(TARGET_DURATION)]);
  expect(Math.max(...segments.map((one) => Math.round(one.duration)))).toBeLessThanOrEqual(TARGET_DURATION);
});

test('rule 3: EXT-X-PART-INF and EXT-X-SERVER-CONTROL are those of the stream', () => {
  for (const text of everyPlaylist()) {
    const target = Number(/^#EXT-X-PART-INF:PART-TARGET=(.*)$/m.exec(text)?.[1]);
    const control = /^#EXT-X-SERVER-CONTROL:(.*)$/m.exec(text)?.[1] ?? '';
    const value = (name: string): number => Number(new RegExp(`(?:^|,)${name}=([0-9.]+)`).exec(control)?.[1]);
    expect(control).toContain('CAN-BLOCK-RELOAD=YES');
    expect(value('PART-HOLD-BACK')).toBeGreaterThanOrEqual(3 * target);
    expect(value('HOLD-BACK')).toBeGreaterThanOrEqual(3 * TARGET_DURATION);
    expect(value('CAN-SKIP-UNTIL')).toBeGreaterThanOrEqual(6 * TARGET_DURATION);
    expect(Math.abs(target - PART_TARGET)).toBeLessThan(0.05);
  }
});

test('rule 4: parts are at most PART-TARGET long and at least 85 % of it, but for the last of a segment', () => {
  const target = Number(/PART-TARGET=(.*)$/m.exec(everyPlaylist()[0] ?? '')?.[1]);
  for (const { parts } of segments) {
    expect(Math.max(...parts.map((part) => part.duration))).toBeLessThanOrEqual(target + MICROSECOND);
    for (const part of parts.slice(0, -1).filter((one) => !one.independent)) {
      expect(part.duration).toBeGreaterThanOrEqual(0.85 * target);
    }
  }
});

describe('rule 5: a segment', () => {
  test('has exactly the bytes of its parts, and so their samples', () => {
    for (const { bytes, parts, uri } of segments) {
      expect([uri, Buffer.compare(Buffer.concat(parts.map((part) => part.bytes)), bytes)]).toEqual([uri, 0]);
    }
  });

  test('lasts as long as its parts and its samples: the next begins where it ends', () => {
    for (const { rendition, msn, duration, parts, packets } of segments) {
      expect(Math.abs(sum(parts.map((part) => part.duration)) - duration)).toBeLessThan(MICROSECOND);
      const next = segments.find((one) => one.rendition === rendition && one.msn === msn + 1);
      if (next !== undefined) {
        const samples = (next.packets[0]?.decodeTime ?? 0) - (packets[0]?.decodeTime ?? 0);
        // EXTINF and both of ffprobe's times are rounded to the microsecond.
        expect(Math.abs(samples - duration)).toBeLessThan(3 * MICROSECOND);
      }
    }
  });
});

test('rule 6: INDEPENDENT=YES stands exactly where a part starts with a sync sample, as every segment does', () => {
  for (const { parts, packets } of segments) {
    expect(packets[0]?.sync).toBe(true);
    const start = packets[0]?.decodeTime ?? 0;
    let elapsed = 0;
    for (const part of parts) {
      const first = packets.find((packet) => packet.decodeTime - start > elapsed - 0.002);
      expect(Math.abs((first?.decodeTime ?? 0) - start - elapsed)).toBeLessThan(0.002);
      expect([part.uri, part.independent]).toEqual([part.uri, first?.sync]);
      elapsed += part.duration;
    }
  }
});

test('rule 7: MAP and PROGRAM-DATE-TIME come before the first part of their segment', () => {
  for (const text of everyPlaylist()) {
    expect(tagsAfterParts(text)).toEqual([]);
    expect(text).toMatch(/^#EXT-X-MAP:URI=/m);
  }
});

describe('rule 8: a part', () => {
  test('is there, whole and at link speed, when it is listed', () => {
    const downloads = [...recordings.values()].flatMap(({ parts }) => parts.map((part) => part.downloadMs));
    const median = downloads.toSorted((left, right) => left - right)[Math.floor(downloads.length / 2)];
    expect(median).toBeLessThan(DOWNLOAD_LIMIT_MS);
  });

  test('comes every PART-TARGET, none left out', () => {
    for (const { parts } of recordings.values()) {
      const numbers = parts.map((part) => [part.msn, part.part] as const);
      for (const [index, [msn, part]] of numbers.entries()) {
        const [lastMsn, lastPart] = numbers[index - 1] ?? [msn, part - 1];
        const follows = msn === lastMsn ? part === lastPart + 1 : msn === lastMsn + 1 && part === 0;
        expect([msn, part, follows]).toEqual([msn, part, true]);
      }
      const elapsed = ((parts.at(-1)?.listedAt ?? 0) - (parts[0]?.listedAt ?? 0)) / 1000;
      const media = sum(parts.slice(1).map((part) => part.duration));
      expect(Math.abs(elapsed - media)).toBeLessThan(2 * PART_TARGET);
    }
  });
});

test('rule 9: parts leave the playlist after three target durations, segments in order, and stay downloadable', async () => {
  for (const { url, playlists, parts } of recordings.values()) {
    for (const playlist of playlists) {
      expect(sum(playlist.parts.map((part) => part.duration))).toBeLessThanOrEqual(3 * TARGET_DURATION + 0.1);
      expect(playlist.segments.length).toBeLessThanOrEqual(WINDOW_SEGMENTS);
    }
    const last = playlists.at(-1);
    const gone = parts.filter((part) => part.msn < (last?.mediaSequence ?? 0));
    expect(gone.length).toBeGreaterThan(0);
    for (const part of gone) {
      expect(Buffer.compare(await fetchMedia(url, part.uri), part.bytes)).toBe(0);
    }
  }
});

test('rule 10: the hinted part comes under its URI; only audio, whose frames do not fill a segment, gives hints up', () => {
  for (const [name, { playlists, parts, hinted }] of recordings) {
    for (const { text } of playlists) {
      expect(text.match(/^#EXT-X-PRELOAD-HINT:/gm)).toHaveLength(1);
    }
    const listed = new Map(parts.map((part) => [part.uri, part]));
    const kept = [...hinted].filter(([uri]) => listed.has(uri));
    // A recorder that is late on a busy machine misses a playlist, and with it a hint.
    expect(kept.length).toBeGreaterThan(parts.length / 2);
    for (const [uri, answer] of kept) {
      expect([
        uri,
        answer.status,
        Buffer.compare(answer.bytes, listed.get(uri)?.bytes ?? new Uint8Array()),
      ]).toEqual([uri, 200, 0]);
    }
    // The last one is still ahead when the recording ends.
    const givenUp = [...hinted].slice(0, -1).filter(([uri]) => !listed.has(uri));
    expect(new Set(givenUp.map(([uri]) => uri.split('.')[0])).size).toBe(givenUp.length);
    expect(name === 'audio' ? [] : givenUp).toEqual([]);
    expect(givenUp.every(([, answer]) => answer.status === 404)).toBe(true);
  }
});

test('rule 11: every playlist reports on every other rendition, never behind what was reported before', () => {
  for (const [name, { playlists }] of recordings) {
    const others = [...recordings.keys()].filter((other) => other !== name).sort();
    const newest = new Map<string, number>();
    for (const { text } of playlists) {
      const reports = [
        ...text.matchAll(
          /^#EXT-X-RENDITION-REPORT:URI="\.\.\/(\w+)\/index\.m3u8",LAST-MSN=(\d+),LAST-PART=(\d+)$/gm,
        ),
      ];
      expect(reports.map((report) => report[1] ?? '').sort()).toEqual(others);
      for (const [, other = '', msn, part] of reports) {
        const position = Number(msn) * 1000 + Number(part);
        expect(position).toBeGreaterThanOrEqual(newest.get(other) ?? 0);
        newest.set(other, position);
      }
    }
  }
});

test('rule 12: one MSN covers the same time in every rendition, and its PROGRAM-DATE-TIME agrees', () => {
  const dates = new Map<number, number[]>();
  for (const { playlists } of recordings.values()) {
    const text = playlists.at(-1)?.text ?? '';
    const first = playlists.at(-1)?.mediaSequence ?? 0;
    for (const [index, match] of [...text.matchAll(/^#EXT-X-PROGRAM-DATE-TIME:(.*)$/gm)].entries()) {
      dates.set(first + index, [...(dates.get(first + index) ?? []), Date.parse(match[1] ?? '') / 1000]);
    }
  }
  const starts = new Map<number, number[]>();
  for (const { msn, packets } of segments) {
    starts.set(msn, [...(starts.get(msn) ?? []), packets[0]?.presentationTime ?? Number.NaN]);
  }
  for (const perRendition of [dates, starts]) {
    const complete = [...perRendition.values()].filter((times) => times.length === 3);
    expect(complete.length).toBeGreaterThanOrEqual(WINDOW_SEGMENTS - 1);
    for (const times of complete) {
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(AUDIO_FRAME + 0.001);
    }
  }
});

test('rule 13: when the encoder has gone for good, EXT-X-ENDLIST closes every playlist', async () => {
  await publisher.stop();
  for (const { url } of recordings.values()) {
    const ended = await until('the end', async () => {
      const text = await (await fetch(url)).text();
      return text.includes('#EXT-X-ENDLIST') ? text : undefined;
    });
    expect(ended).toMatch(/\n#EXT-X-ENDLIST\n$/);
    expect(ended).not.toContain('PRELOAD-HINT');
  }
});
