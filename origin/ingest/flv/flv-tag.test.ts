import { expect, test } from 'vitest';
import { FLV_AUDIO, FLV_VIDEO, writeFlvHeader, writeFlvTag } from './flv-tag.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('the file header states which tracks there are', () => {
  expect(hex(writeFlvHeader({ audio: true, video: true }))).toBe('464c5601050000000900000000');
  expect(hex(writeFlvHeader({ audio: true, video: false }))).toBe('464c5601040000000900000000');
  expect(hex(writeFlvHeader({ audio: false, video: true }))).toBe('464c5601010000000900000000');
});

test('a tag carries its size before and after its body', () => {
  const tag = writeFlvTag({ type: FLV_AUDIO, timestamp: 0x010203, body: Uint8Array.of(0xaf, 1, 0x21) });
  expect(hex(tag)).toBe('0800000301020300000000af01210000000e');
});

test('the eight upper bits of the time stamp travel in TimestampExtended', () => {
  const tag = writeFlvTag({ type: FLV_VIDEO, timestamp: 0xfe01_0203, body: new Uint8Array(0) });
  expect(hex(tag)).toBe('09000000010203fe0000000000000b');
});
