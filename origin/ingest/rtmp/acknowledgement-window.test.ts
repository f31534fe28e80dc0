import { expect, test } from 'vitest';
import { AcknowledgementWindow } from './acknowledgement-window.ts';
import { acknowledgement } from './message.ts';

test('an Acknowledgement is due whenever a window has been received', () => {
  const window = new AcknowledgementWindow();
  window.resize(Buffer.from('000003e8', 'hex'));
  expect(window.count(999)).toBeUndefined();
  expect(window.count(1)).toEqual(acknowledgement(1000));
  expect(window.count(500)).toBeUndefined();
  expect(window.count(700)).toEqual(acknowledgement(2200));
});

test('nothing is acknowledged before the peer states its window', () => {
  expect(new AcknowledgementWindow().count(2 ** 31)).toBeUndefined();
});

test('the sequence number wraps at 32 bits', () => {
  expect(Buffer.from(acknowledgement(2 ** 32 + 5).payload).toString('hex')).toBe('00000005');
});
