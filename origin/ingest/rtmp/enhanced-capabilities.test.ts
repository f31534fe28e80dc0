import { expect, test } from 'vitest';
import { amfObject } from '../flv/amf0.ts';
import { answerCapabilities } from './enhanced-capabilities.ts';

test('an encoder of RTMP 1.0 is told nothing of Enhanced RTMP', () => {
  expect(answerCapabilities(amfObject({ app: 'live' }))).toEqual({});
});

test('an encoder of Enhanced RTMP v2 is told codecs, that they are decoded and forwarded, and ModEx', () => {
  const offered = amfObject({
    fourCcList: { kind: 'strict-array', values: ['*'] },
    videoFourCcInfoMap: amfObject({ '*': 2 }),
    audioFourCcInfoMap: amfObject({ '*': 2 }),
    capsEx: 15,
  });
  expect(answerCapabilities(offered)).toEqual({
    fourCcList: { kind: 'strict-array', values: ['avc1', 'hvc1', 'av01', 'vp09', 'mp4a', 'Opus'] },
    videoFourCcInfoMap: amfObject({ avc1: 5, hvc1: 5, av01: 5, vp09: 5 }),
    audioFourCcInfoMap: amfObject({ mp4a: 5, Opus: 5 }),
    capsEx: 4,
  });
});
