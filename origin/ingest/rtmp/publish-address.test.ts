import { expect, test } from 'vitest';
import { isApplication, readPublishAddress } from './publish-address.ts';

function read(publishName: string, app = 'live', tcUrl = 'rtmp://h/live'): unknown {
  return readPublishAddress({ app, tcUrl, publishName });
}

test('the key follows the stream name', () => {
  expect(read('demo?key=abc')).toEqual({ stream: 'demo', key: 'abc' });
  expect(read('demo?x=1&key=abc&y=2')).toEqual({ stream: 'demo', key: 'abc' });
});

test('the key may be on app or tcUrl, and the nearest to the name wins', () => {
  expect(read('demo', 'live?key=a')).toEqual({ stream: 'demo', key: 'a' });
  expect(read('demo', 'live', 'rtmp://h/live?key=b')).toEqual({ stream: 'demo', key: 'b' });
  expect(read('demo?key=n', 'live?key=a', 'rtmp://h/live?key=b')).toEqual({ stream: 'demo', key: 'n' });
});

test('a role is read beside the key, in any order, as received', () => {
  expect(read('demo?key=abc&role=backup')).toEqual({ stream: 'demo', key: 'abc', role: 'backup' });
  expect(read('demo?role=backup&key=abc')).toEqual({ stream: 'demo', key: 'abc', role: 'backup' });
  expect(read('demo?key=abc', 'live?role=third')).toEqual({ stream: 'demo', key: 'abc', role: 'third' });
});

test('a key is percent-decoded and otherwise verbatim', () => {
  expect(read('demo?key=a%2Fb+c')).toEqual({ stream: 'demo', key: 'a/b+c' });
  expect(read('demo?key=a%zz')).toEqual({ stream: 'demo', key: 'a%zz' });
  expect(read('demo?key=a=b')).toEqual({ stream: 'demo', key: 'a=b' });
});

test('an empty or missing key is none, and names come as received', () => {
  expect(read('demo?key=')).toEqual({ stream: 'demo', key: undefined });
  expect(read('../x')).toEqual({ stream: '../x', key: undefined });
  expect(read('')).toEqual({ stream: '', key: undefined });
});

test('the application is live', () => {
  expect(['live', 'live/', '/live', 'live?key=x'].every(isApplication)).toBe(true);
  expect(['', 'other', 'live/x', 'LIVE'].some(isApplication)).toBe(false);
});
