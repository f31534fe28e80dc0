import { expect, test } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { DEFAULT_PORTS, edgeUrl, playUrl, publishUrl, rtmpTarget, watchUrl } from './addresses.ts';
import { locate } from './instance-options.ts';

const location = { host: '127.0.0.1', ports: DEFAULT_PORTS };
const stream = name('cam1');

test('a play URL carries the token in its path', () => {
  expect(playUrl(location, stream, 'T')).toBe('http://127.0.0.1:8080/t/T/live/cam1/index.m3u8');
});

test('a watch URL carries the token in its query', () => {
  expect(watchUrl(location, stream, 'T')).toBe('http://127.0.0.1:8080/watch/cam1?token=T');
});

test('an RTMP URL carries the key in the stream key', () => {
  expect(publishUrl({ location, stream, protocol: 'rtmp', key: 'K' })).toBe(
    'rtmp://127.0.0.1:1935/live/cam1?key=K',
  );
  expect(rtmpTarget(location, stream, 'K')).toEqual({
    server: 'rtmp://127.0.0.1:1935/live',
    streamKey: 'cam1?key=K',
  });
});

test('an SRT URL carries a stream id of the access control form', () => {
  expect(publishUrl({ location, stream, protocol: 'srt', key: 'K' })).toBe(
    'srt://127.0.0.1:9000?streamid=#!::r=live/cam1,m=publish,key=K',
  );
});

test.each([
  ['0.0.0.0', 'http://127.0.0.1:8080'],
  ['::', 'http://[::1]:8080'],
  ['::1', 'http://[::1]:8080'],
  ['192.0.2.7', 'http://192.0.2.7:8080'],
])('an instance that listens on %s is reached at %s', (host, expected) => {
  expect(edgeUrl({ host, ports: DEFAULT_PORTS })).toBe(expected);
});

test("flags come before the instance's record, the record before the defaults", () => {
  const record = { host: '192.0.2.7', ports: { edge: 1, rtmp: 2, srt: 3, control: 4 } };
  expect(locate({ dataDir: '.rill', rtmpPort: 9 }, record)).toEqual({
    host: '192.0.2.7',
    ports: { edge: 1, rtmp: 9, srt: 3, control: 4 },
  });
  expect(locate({ dataDir: '.rill' }, undefined)).toEqual(location);
});

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}
