import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RejectionLog } from './rejection-log.ts';

test('writes ten rejections of a window and then how many more there were', () => {
  const lines: string[] = [];
  const clock = { now: 0 };
  const rejections = new RejectionLog(
    pino({}, { write: (line: string) => void lines.push(line) }),
    () => clock.now,
  );
  for (let caller = 0; caller < 100; caller += 1) {
    rejections.add({ remoteAddress: '192.0.2.1:4000', reason: 'wrong-key', detail: 'wrong key', code: 1401 });
  }
  expect(lines).toHaveLength(10);
  clock.now = 10_000;
  rejections.flush();
  expect(lines).toHaveLength(11);
  expect(lines[10]).toContain('"count":90');
  rejections.flush();
  expect(lines).toHaveLength(11);
});
