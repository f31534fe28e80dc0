import { expect, test } from 'vitest';
import { HANDSHAKE_BYTES, ServerHandshake } from './handshake.ts';

const RANDOM = new Uint8Array(HANDSHAKE_BYTES).fill(7);
const C0_C1 = Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES, 0xab)]);

function refusal(bytes: Uint8Array): string {
  try {
    new ServerHandshake(RANDOM).take(bytes);
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : 'unnamed';
  }
}

test('C0 and C1 of any content are answered with S0, S1 and C1 echoed as S2', () => {
  const handshake = new ServerHandshake(RANDOM);
  expect(handshake.take(C0_C1.subarray(0, 1000)).reply.length).toBe(0);
  const { reply, rest } = handshake.take(C0_C1.subarray(1000));
  expect(rest).toBeUndefined();
  expect(reply.length).toBe(1 + 2 * HANDSHAKE_BYTES);
  expect([...reply.subarray(0, 10)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  expect(Buffer.from(reply.subarray(1 + HANDSHAKE_BYTES))).toEqual(C0_C1.subarray(1));
});

test('the bytes behind C2 are handed on, and S0 to S2 are sent once', () => {
  const handshake = new ServerHandshake(RANDOM);
  handshake.take(C0_C1);
  const { reply, rest } = handshake.take(Buffer.concat([Buffer.alloc(HANDSHAKE_BYTES), Buffer.from('abc')]));
  expect(reply.length).toBe(0);
  expect(Buffer.from(rest ?? []).toString()).toBe('abc');
});

test('other protocols are named', () => {
  expect(refusal(Buffer.from('GET / HTTP/1.1\r\n'))).toContain('HTTP request');
  expect(refusal(Buffer.from('160301', 'hex'))).toContain('TLS ClientHello');
  expect(refusal(Buffer.of(0x16))).toContain('TLS ClientHello');
  expect(refusal(Buffer.from('SSH-2.0-x'))).toContain('SSH');
  expect(refusal(Buffer.of(6, 0, 0))).toContain('rtmpe');
  expect(refusal(Buffer.of(0xd7, 1, 2))).toContain('random bytes');
  expect(refusal(Buffer.of(3))).toBe('accepted');
});
