import { describe, expect, test } from 'vitest';
import type { FeedEvent } from '../media-feed.ts';
import { amfEcmaArray } from './amf0.ts';
import { writeFlvTag } from './flv-tag.ts';
import { SourceAssembler, type MediaTag } from './source-assembler.ts';
import { findMetadata, readStreamMetadata } from './stream-metadata.ts';
import { audioFrame, audioHeader, videoFrame, videoHeader } from './test-tags.ts';

function take(assembler: SourceAssembler, ...tags: readonly MediaTag[]): FeedEvent[] {
  return tags.flatMap((tag) => {
    const result = assembler.take(tag);
    return result.ok ? result.value : [];
  });
}

/** Short names: `source`, `key` and `frame` with the time stamp. */
function outline(events: readonly FeedEvent[]): string[] {
  return events.map((event) => {
    if (event.kind !== 'media') {
      return event.kind;
    }
    const view = new DataView(event.bytes.buffer, event.bytes.byteOffset);
    return `${event.randomAccess ? 'key' : 'frame'} ${view.getUint32(4) >>> 8}`;
  });
}

const BOTH = readStreamMetadata(amfEcmaArray({ videocodecid: 7, audiocodecid: 10, framerate: 25 }));
const ONLY_VIDEO = readStreamMetadata(amfEcmaArray({ videocodecid: 7 }));

describe('finding out what a source carries', () => {
  test('is decided as soon as both sequence headers are there', () => {
    const assembler = new SourceAssembler();
    assembler.takeMetadata(BOTH);
    expect(take(assembler, videoHeader(), videoFrame(0, true))).toEqual([]);
    const events = take(assembler, audioHeader());
    expect(outline(events)).toEqual(['source', 'key 0']);
    expect(events[0]).toMatchObject({
      source: {
        video: { codec: 'h264', width: 320, height: 180, frameRate: 25 },
        audio: { codec: 'aac', sampleRate: 44_100, channels: 1 },
      },
    });
  });

  test('takes the frame rate from the parameter set where the metadata has none', () => {
    const assembler = new SourceAssembler();
    expect(take(assembler, videoHeader(), audioHeader())[0]).toMatchObject({
      source: { video: { frameRate: 30 } },
    });
  });

  test('is decided at once where the metadata says there is no other track', () => {
    const assembler = new SourceAssembler();
    assembler.takeMetadata(ONLY_VIDEO);
    expect(outline(take(assembler, videoHeader()))).toEqual(['source']);
  });

  test('waits 300 ms of media time for a track nobody spoke of, and keeps what came', () => {
    const assembler = new SourceAssembler();
    expect(take(assembler, videoHeader(), videoFrame(0, true), videoFrame(299, false))).toEqual([]);
    expect(assembler.decisionWait).toBe(500);
    expect(outline(take(assembler, videoFrame(300, false)))).toEqual([
      'source',
      'key 0',
      'frame 299',
      'frame 300',
    ]);
    expect(assembler.decisionWait).toBeUndefined();
  });

  test('waits 2 s for a track the metadata promises', () => {
    const assembler = new SourceAssembler();
    assembler.takeMetadata(BOTH);
    take(assembler, audioHeader());
    expect(assembler.decisionWait).toBe(2000);
    expect(take(assembler, audioFrame(1999))).toEqual([]);
    expect(outline(take(assembler, audioFrame(2000)))).toEqual(['source', 'key 1999', 'key 2000']);
  });

  test('is decided with what there is when the shell stops waiting', () => {
    const assembler = new SourceAssembler();
    expect(assembler.decide()).toEqual([]);
    take(assembler, audioHeader(), audioFrame(0));
    expect(outline(assembler.decide())).toEqual(['source', 'key 0']);
    expect(assembler.decide()).toEqual([]);
  });

  test('keeps at most 8 MiB', () => {
    const assembler = new SourceAssembler();
    take(assembler, videoHeader(), videoFrame(0, true, 8 * 1024 * 1024));
    expect(assembler.decided).toBe(false);
    expect(outline(take(assembler, videoFrame(1, false)))).toEqual(['source', 'key 0', 'frame 1']);
  });
});

describe('handing tags on', () => {
  test('begins video with a key frame and leaves out frames without a sequence header', () => {
    const assembler = new SourceAssembler();
    const tags = [videoFrame(0, true), videoHeader(), videoFrame(1, false), audioHeader(), audioFrame(2)];
    expect(outline(take(assembler, ...tags, videoFrame(3, false), videoFrame(4, true)))).toEqual([
      'source',
      'frame 2',
      'key 4',
    ]);
  });

  test('gives each tag whole, with its own time stamp', () => {
    const assembler = new SourceAssembler();
    take(assembler, videoHeader(), audioHeader());
    const [event] = take(assembler, videoFrame(0x1234_5678, true));
    expect(event).toEqual({
      kind: 'media',
      bytes: writeFlvTag(videoFrame(0x1234_5678, true)),
      randomAccess: true,
    });
  });

  test('begins the preamble with the file header of the tracks there are', () => {
    const assembler = new SourceAssembler();
    take(assembler, audioHeader());
    const [event] = assembler.decide();
    const preamble = event?.kind === 'source' ? Buffer.from(event.preamble) : Buffer.alloc(0);
    expect(preamble.subarray(0, 13).toString('hex')).toBe('464c5601040000000900000000');
    expect(preamble.subarray(-writeFlvTag(audioHeader()).length)).toEqual(
      Buffer.from(writeFlvTag(audioHeader())),
    );
  });
});

describe('changes in mid-stream', () => {
  test('a repeated sequence header is dropped', () => {
    const assembler = new SourceAssembler();
    take(assembler, videoHeader(), audioHeader(), videoFrame(0, true));
    expect(outline(take(assembler, videoHeader(), audioHeader(), videoFrame(1, false)))).toEqual(['frame 1']);
  });

  test('a sequence header that differs begins a new source with the next key frame', () => {
    const assembler = new SourceAssembler();
    take(assembler, videoHeader(), audioHeader(), videoFrame(0, true));
    const tags = [
      videoHeader(10, 1),
      audioFrame(11),
      videoFrame(12, false),
      videoFrame(13, true),
      audioFrame(14),
    ];
    expect(outline(take(assembler, ...tags))).toEqual(['source', 'key 13', 'frame 14']);
  });

  test('a track that appears late begins a new source', () => {
    const assembler = new SourceAssembler();
    assembler.takeMetadata(ONLY_VIDEO);
    take(assembler, videoHeader(), videoFrame(0, true));
    const events = take(assembler, audioHeader(), audioFrame(1), videoFrame(2, true));
    expect(outline(events)).toEqual(['source', 'key 2']);
    expect(events[0]).toMatchObject({ source: { audio: { codec: 'aac' } } });
  });
});

describe('refusing', () => {
  test('codecs that are not taken are named with the remedy', () => {
    const flac = new SourceAssembler().take({ ...audioFrame(0), body: Buffer.from('\x90fLaC', 'latin1') });
    expect(flac).toMatchObject({
      ok: false,
      failure: {
        detail: 'FLAC is not supported: send H.264, HEVC, AV1 or VP9 video and AAC or Opus audio',
      },
    });
  });

  test('a malformed sequence header is refused', () => {
    const bad = new SourceAssembler().take({ ...videoHeader(), body: Buffer.from('170000000002', 'hex') });
    expect(bad).toMatchObject({ ok: false, failure: { reason: 'rejected-source' } });
  });
});

describe('metadata', () => {
  test('is found with and without @setDataFrame', () => {
    const object = amfEcmaArray({ hasVideo: true, hasAudio: false });
    const expected = { hasVideo: true, hasAudio: false, frameRate: undefined };
    expect(findMetadata(['onMetaData', object])).toEqual(expected);
    expect(findMetadata(['@setDataFrame', 'onMetaData', object])).toEqual(expected);
    expect(findMetadata(['onCuePoint', object])).toBeUndefined();
    expect(findMetadata([])).toBeUndefined();
  });

  test('that names no track says nothing about tracks, and an absurd frame rate is none', () => {
    const expected = { hasVideo: undefined, hasAudio: undefined, frameRate: undefined };
    expect(readStreamMetadata(amfEcmaArray({ encoder: 'x', framerate: 1e9 }))).toEqual(expected);
  });
});
