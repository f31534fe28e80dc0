import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { fail, ok } from '#shared/result.ts';
import type { IngestGate } from '../media-feed.ts';
import { Handshakes } from './handshakes.ts';

function makeHandshakes(): {
  handshakes: Handshakes;
  live: Set<string>;
  gone: Set<number>;
  clock: { now: number };
} {
  const live = new Set<string>();
  const gone = new Set<number>();
  const clock = { now: 0 };
  const gate: IngestGate = {
    admit: (request) => {
      const name = parseStreamName(request.stream);
      if (!name.ok) {
        return fail({ reason: 'invalid-name', detail: name.failure.expected });
      }
      if (request.key === 'boom') {
        throw new Error('gate failed');
      }
      if (live.has(name.value)) {
        return fail({ reason: 'already-live', detail: 'somebody publishes it' });
      }
      live.add(name.value);
      return ok({ stream: name.value, start: () => {}, release: () => void live.delete(name.value) });
    },
  };
  const handshakes = new Handshakes({
    gate,
    log: pino({ level: 'silent' }),
    now: () => clock.now,
    prepare: (_socket, stream) => {
      if (stream === 'broken') {
        throw new Error('no such option');
      }
    },
    isGone: (socket) => gone.has(socket),
    explainDrop: () => 'its passphrase is wrong',
    limitMs: 5000,
  });
  return { handshakes, live, gone, clock };
}

const PEER = { host: '192.0.2.1', port: 4000 };

describe('handshakes', () => {
  test('admits, and hands the admission to the accepted socket once', () => {
    const { handshakes } = makeHandshakes();
    expect(handshakes.decide({ socket: 7, peer: PEER, streamId: 'publish:cam:k' })).toBeUndefined();
    expect(handshakes.take(7)?.remoteAddress).toBe('192.0.2.1:4000');
    expect(handshakes.take(7)).toBeUndefined();
  });

  test('rejects a bad name with 1400, a live stream with 1409 and a failing gate with 1500', () => {
    const { handshakes } = makeHandshakes();
    expect(handshakes.decide({ socket: 1, peer: PEER, streamId: 'publish:../cam:k' })).toBe(1400);
    expect(handshakes.decide({ socket: 2, peer: PEER, streamId: 'publish:cam:k' })).toBeUndefined();
    expect(handshakes.decide({ socket: 3, peer: undefined, streamId: 'publish:cam:k' })).toBe(1409);
    expect(handshakes.decide({ socket: 4, peer: PEER, streamId: 'publish:cam2:boom' })).toBe(1500);
  });

  test('rejects with 1500 and gives the name free when the socket cannot be prepared', () => {
    const { handshakes, live } = makeHandshakes();
    expect(handshakes.decide({ socket: 1, peer: PEER, streamId: 'publish:broken:k' })).toBe(1500);
    expect(live.size).toBe(0);
  });

  test('gives the name free when libsrt drops the caller after our consent', () => {
    const { handshakes, live, gone } = makeHandshakes();
    handshakes.decide({ socket: 1, peer: PEER, streamId: 'publish:cam:k' });
    gone.add(1);
    expect(handshakes.decide({ socket: 2, peer: PEER, streamId: 'publish:cam:k' })).toBeUndefined();
    expect(live.has('cam')).toBe(true);
  });

  test('gives the name free when the handshake is not finished in time', () => {
    const { handshakes, live, clock } = makeHandshakes();
    handshakes.decide({ socket: 1, peer: PEER, streamId: 'publish:cam:k' });
    clock.now = 4999;
    handshakes.sweep();
    expect(live.size).toBe(1);
    clock.now = 5000;
    handshakes.sweep();
    expect(live.size).toBe(0);
  });
});
