import { describe, expect, it } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { createLog } from '../log.ts';
import type { MediaFeed, PublishRequest } from './media-feed.ts';
import type { PublishClaim, PublishDecider, PublishDecision } from './access/publish-decision.ts';
import { PublishKeys, publishKey } from './access/publish-keys.ts';
import { StreamGate } from './stream-gate.ts';

const SECRET = 'publish-secret-of-the-test';

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}

function setUp(maxStreams = 10, deciders: readonly PublishDecider[] = []) {
  const started: MediaFeed[] = [];
  const gate = new StreamGate({
    keys: new PublishKeys(SECRET, new Map()),
    deciders,
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

describe('a derived publish key', () => {
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

  it('admits what the origin fetches without a key, once, and within the limit', () => {
    const { gate } = setUp(1);
    const pulled = gate.admitPull({ stream: name('cam'), remoteAddress: '192.0.2.1:9000' });
    expect(pulled).toMatchObject({ ok: true });
    expect(gate.live()).toMatchObject([{ stream: 'cam', protocol: 'srt', remoteAddress: '192.0.2.1:9000' }]);
    const again = { stream: name('cam'), remoteAddress: '192.0.2.2:9000' };
    expect(gate.admitPull(again)).toMatchObject({ failure: { reason: 'already-live' } });
    const other = { stream: name('other'), remoteAddress: '192.0.2.2:9000' };
    expect(gate.admitPull(other)).toMatchObject({ failure: { reason: 'too-many-streams' } });
  });

  it('admits a backup beside the primary, in either order, and no second of either', () => {
    const { gate, started } = setUp(1);
    const ask = (role?: string) => gate.admit({ ...request('cam'), role });
    const backup = ask('backup');
    expect(ask('backup')).toMatchObject({ failure: { reason: 'already-live' } });
    expect(ask()).toMatchObject({ ok: true });
    expect(ask('primary')).toMatchObject({ failure: { reason: 'already-live' } });
    expect(gate.live().map(({ role }) => role)).toEqual(['backup', 'primary']);
    if (backup.ok) {
      backup.value.start(feed());
      backup.value.release();
    }
    expect(started).toHaveLength(1);
    expect(ask('backup')).toMatchObject({ ok: true });
  });

  it.each(['', 'Backup', 'third'])('refuses the role "%s"', (role) => {
    const { gate } = setUp();
    expect(gate.admit({ ...request('cam'), role })).toMatchObject({ failure: { reason: 'invalid-role' } });
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
      { stream: 'cam', role: 'primary', protocol: 'rtmp', remoteAddress: '127.0.0.1', since: 5000 },
    ]);
    expect(gate.stop(name('cam'), 'stopped by the control API')).toBe(true);
    expect(closed).toEqual(['stopped by the control API']);
  });
});

describe('a publisher without the key', () => {
  const ALLOWED: PublishDecision = { kind: 'allowed' };
  const REFUSED: PublishDecision = { kind: 'refused', detail: 'for the log' };
  const UNDECIDED: PublishDecision = { kind: 'undecided', detail: 'for the log' };
  const decider = (
    decision: PublishDecision | Promise<PublishDecision>,
    asked: PublishClaim[] = [],
  ): PublishDecider => ({
    decide: (claim) => {
      asked.push(claim);
      return decision;
    },
  });

  it('is admitted at once where a decider allows at once, and nobody is asked about a key that fits', () => {
    const asked: PublishClaim[] = [];
    const { gate } = setUp(10, [decider(ALLOWED, asked)]);
    expect(gate.admit(request('cam', 'token'))).toMatchObject({ ok: true, value: { stream: 'cam' } });
    admitted(gate, 'other');
    expect(asked).toEqual([{ stream: 'cam', protocol: 'rtmp', credential: 'token', address: '127.0.0.1' }]);
  });

  it('is refused in the words of a wrong key by the last decider, and told to try again where it cannot say', () => {
    const { gate } = setUp(10, [decider(UNDECIDED), decider(REFUSED)]);
    const words = { reason: 'wrong-key', detail: 'not the publish key of this stream' };
    expect(gate.admit(request('cam', 'token'))).toEqual({ ok: false, failure: words });
    const unsure = setUp(10, [decider(REFUSED), decider(UNDECIDED)]).gate.admit(request('cam', 'token'));
    expect(unsure).toMatchObject({ ok: false, failure: { reason: 'not-decided' } });
  });

  it('takes its name when it is decided: whoever waits for a refusal keeps nobody out', async () => {
    const decision = Promise.withResolvers<PublishDecision>();
    const { gate, started } = setUp(10, [decider(REFUSED), decider(decision.promise)]);
    const waiting = gate.admit(request('cam', 'token'));
    const admission = waiting.ok ? waiting.value : undefined;
    expect(gate.live()).toEqual([]);
    expect(() => admission?.start(feed())).toThrow('has been admitted');
    const first = admitted(gate, 'cam');
    decision.resolve(ALLOWED);
    expect(await admission?.pending).toMatchObject({ reason: 'already-live' });
    first.release();
    const again = gate.admit(request('cam', 'token'));
    expect(await (again.ok ? again.value.pending : undefined)).toBeUndefined();
    expect(gate.live().map(({ stream }) => stream)).toEqual(['cam']);
    admission?.release();
    expect(gate.live()).toHaveLength(1);
    if (again.ok) {
      again.value.start(feed());
      again.value.release();
    }
    expect([started.length, gate.live()]).toEqual([1, []]);
  });

  it('that leaves before the decision takes no name', async () => {
    const decision = Promise.withResolvers<PublishDecision>();
    const { gate } = setUp(10, [decider(decision.promise)]);
    const waiting = gate.admit(request('cam', 'token'));
    const admission = waiting.ok ? waiting.value : undefined;
    admission?.release();
    decision.resolve(ALLOWED);
    expect(await admission?.pending).toMatchObject({ reason: 'not-decided' });
    expect(gate.live()).toEqual([]);
  });

  it('is refused where a decider fails', async () => {
    const { gate } = setUp(10, [decider(Promise.reject(new Error('a bug')))]);
    const waiting = gate.admit(request('cam', 'token'));
    expect(await (waiting.ok ? waiting.value.pending : undefined)).toMatchObject({ reason: 'not-decided' });
  });
});
