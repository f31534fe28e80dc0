import { describe, expect, it } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { createLog } from '../log.ts';
import type { MediaFeed, PublishRequest } from './media-feed.ts';
import { publishKey, StreamGate } from './stream-gate.ts';

const SECRET = 'publish-secret-of-the-test';

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}

function setUp(maxStreams = 10) {
  const started: MediaFeed[] = [];
  const gate = new StreamGate({
    publishSecret: SECRET,
    maxStreams,
    onStart: (feed) => started.push(feed),
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
    now: () => 5000,
  });
  return { gate, started };
}

function request(stream: string, key: string | undefined = publishKey(SECRET, name('cam'))): PublishRequest {
  return { protocol: 'rtmp', stream, key, remoteAddress: '127.0.0.1' };
}

function admitted(gate: StreamGate, stream: string) {
  const admission = gate.admit(request(stream, publishKey(SECRET, name(stream))));
  if (!admission.ok) {
    throw new Error(admission.failure.reason);
  }
  return admission.value;
}

function feed(closed: string[] = []): MediaFeed {
  return {
    stream: name('cam'),
    protocol: 'rtmp',
    container: 'flv',
    remoteAddress: '127.0.0.1',
    events: (async function* () {})(),
    close: (detail) => closed.push(detail),
  };
}

describe('a publish key', () => {
  it('is 24 characters of base64url, different for each stream and secret, alike every time', () => {
    const key = publishKey(SECRET, name('cam'));
    expect(key).toMatch(/^[A-Za-z0-9_-]{24}$/);
    expect(publishKey(SECRET, name('cam'))).toBe(key);
    expect(publishKey(SECRET, name('cam2'))).not.toBe(key);
    expect(publishKey(`${SECRET}x`, name('cam'))).not.toBe(key);
  });
});

describe('the gate', () => {
  it.each(['..', 'a/b', '', 'A', 'ü', 'x'.repeat(300), 'cam\n'])('refuses the name %j', (stream) => {
    const refusal = setUp().gate.admit(request(stream));
    expect(refusal).toMatchObject({ ok: false, failure: { reason: 'invalid-name' } });
  });

  it('refuses a missing, an empty, a wrong and another stream’s key in the same words', () => {
    const { gate } = setUp();
    const right = publishKey(SECRET, name('cam'));
    const missing: PublishRequest = { ...request('cam'), key: undefined };
    const others = [
      '',
      'wrong',
      right.slice(1),
      `${right} `,
      'x'.repeat(100_000),
      publishKey(SECRET, name('b')),
    ];
    const refusals = [missing, ...others.map((key) => request('cam', key))].map((each) => gate.admit(each));
    const words = { reason: 'wrong-key', detail: 'not the publish key of this stream' };
    expect(refusals).toEqual(refusals.map(() => ({ ok: false, failure: words })));
    expect(gate.live()).toEqual([]);
  });

  it('admits one publisher per stream, and the next after its release', () => {
    const { gate } = setUp();
    const first = admitted(gate, 'cam');
    expect(gate.admit(request('cam'))).toMatchObject({ ok: false, failure: { reason: 'already-live' } });
    first.release();
    admitted(gate, 'cam');
    first.release();
    expect(gate.live().map(({ stream }) => stream)).toEqual(['cam']);
  });

  it('does not tell who is live to somebody without the key', () => {
    const { gate } = setUp();
    admitted(gate, 'cam');
    expect(gate.admit(request('cam', 'wrong'))).toMatchObject({
      ok: false,
      failure: { reason: 'wrong-key' },
    });
  });

  it('admits as many streams as its limit', () => {
    const { gate } = setUp(2);
    admitted(gate, 'a');
    admitted(gate, 'b');
    expect(gate.admit(request('cam'))).toMatchObject({ ok: false, failure: { reason: 'too-many-streams' } });
  });

  it('hands the feed over once, stops it on request, and knows who is live', () => {
    const { gate, started } = setUp();
    const closed: string[] = [];
    const admission = admitted(gate, 'cam');
    expect(gate.stop(name('cam'), 'x')).toBe(false);
    const live = feed(closed);
    admission.start(live);
    expect(started).toEqual([live]);
    expect(() => admission.start(live)).toThrow('starts once');
    expect(gate.live()).toEqual([
      { stream: 'cam', protocol: 'rtmp', remoteAddress: '127.0.0.1', since: 5000 },
    ]);
    expect(gate.stop(name('cam'), 'stopped by the control API')).toBe(true);
    expect(closed).toEqual(['stopped by the control API']);
  });
});
