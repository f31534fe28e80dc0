import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../log.ts';
import { RecordingLedger, type Recording } from './recordings.ts';

const log = createLog({ level: 'silent', pretty: false, name: 'test' });
const FACTS = {
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:01:00.000Z',
  seconds: 60,
  renditions: [],
};
let folder: string;
let ready: Recording[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-recordings-'));
  ready = [];
});

afterEach(() => rm(folder, { recursive: true }));

function open(waiting = 0): Promise<RecordingLedger> {
  const path = join(folder, 'recordings.json');
  return RecordingLedger.open({
    path,
    log,
    waitingObjects: () => waiting,
    onReady: (one) => ready.push(one),
  });
}

const key = (file: string, stream = 'show'): string => `live/${stream}/7/video/${file}`;

test('a recording is ready when the last object of its stream is stored, not before, and counts what was lost', async () => {
  const ledger = await open();
  for (const file of ['init.mp4', '4.0.m4s', '4.m4s', '5.0.m4s']) {
    ledger.written(key(file), 10);
  }
  ledger.written(key('1.m4s', 'other'), 10);
  ledger.settled(key('init.mp4'), 'stored');
  ledger.ended('show', FACTS);
  ledger.settled(key('4.0.m4s'), 'stored');
  ledger.settled(key('4.m4s'), 'lost');
  expect(ready).toEqual([]);
  ledger.settled(key('5.0.m4s'), 'stored');
  expect(ready).toEqual([
    {
      ...{ stream: 'show', prefix: 'live/show/', ...FACTS, epochs: [{ epoch: 7, firstMsn: 4, lastMsn: 5 }] },
      ...{ objects: 4, bytes: 40, lostObjects: 1 },
    },
  ]);
});

test('a recording that waited is ready in the next run, once what that run found on disk is stored', async () => {
  const before = await open();
  before.written(key('4.m4s'), 10);
  before.ended('show', FACTS);
  const after = await vi.waitFor(async () => {
    const ledger = await open(2);
    ledger.settled('rill-check', 'stored');
    expect(ready).toEqual([]);
    ledger.settled(key('4.m4s'), 'stored');
    expect(ready).toHaveLength(1);
    return ledger;
  });
  after.written(key('1.m4s', 'new'), 10);
  after.settled(key('1.m4s', 'new'), 'stored');
  expect(ready.map(({ stream }) => stream)).toEqual(['show']);
});

test('a stream that never had a segment leaves no recording', async () => {
  const ledger = await open();
  ledger.written(key('init.mp4'), 10);
  ledger.settled(key('init.mp4'), 'stored');
  ledger.ended('show', FACTS);
  expect(ready).toEqual([]);
});
