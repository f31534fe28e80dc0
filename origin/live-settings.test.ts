import { expect, test } from 'vitest';
import { z } from 'zod';
import { changedKeys, NEEDS_RESTART, restartKeys } from './live-settings.ts';
import { createLog } from './log.ts';
import { LogLevels } from './log-levels.ts';

test('what a reload changes is told key by key, of streams stream by stream', () => {
  const before = { dvr: 30, partTarget: 0.5, streams: { a: { dvr: 1 }, b: {}, c: {} } };
  const after = { partTarget: 0.5, ladder: {}, streams: { a: { dvr: 2 }, c: {}, d: {} } };
  expect(changedKeys(before, after)).toEqual(['dvr', 'ladder', 'streams.a', 'streams.b', 'streams.d']);
  expect(changedKeys({}, { streams: { a: {} } })).toEqual(['streams.a']);
  expect(changedKeys(after, structuredClone(after))).toEqual([]);
});

test('a setting says in its schema that it needs a restart, before or behind its description', () => {
  const shape = {
    port: z.number().optional().meta(NEEDS_RESTART).describe('a port'),
    folder: z.string().optional().describe('a folder').meta(NEEDS_RESTART),
    dvr: z.number().describe('seconds'),
  };
  expect([...restartKeys(shape)]).toEqual(['port', 'folder']);
});

test('a level reaches every logger there is and will be, a part’s own before the one of all', () => {
  const levels = new LogLevels('info');
  const log = createLog({
    ...{ level: 'info', pretty: false, name: 'test' },
    onChild: (one) => levels.add(one),
  });
  levels.add(log);
  const srt = log.child({ part: 'srt' });
  const connection = srt.child({ remoteAddress: '::1' });
  const stream = log.child({ stream: 'show' });
  levels.set('debug', 'srt');
  levels.set('silent');
  expect([log.level, stream.level, srt.level, connection.level]).toEqual([
    'silent',
    'silent',
    'debug',
    'debug',
  ]);
  expect(log.child({ part: 'srt' }).level).toBe('debug');
  levels.set(undefined, 'srt');
  expect(connection.level).toBe('silent');
  expect(levels.knownParts).toEqual(['srt', 'stream']);
});
