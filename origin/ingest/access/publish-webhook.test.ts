import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import type { PublishClaim } from './publish-decision.ts';
import { WebhookDecider, type Post } from './publish-webhook.ts';

const SECRET = 'webhook-secret-of-the-test';
type Question = Parameters<Post>[0];

function setUp(answer: () => { status: number; body?: string } | Promise<never>) {
  const questions: Question[] = [];
  const clock = { now: 1_800_000_000_500 };
  const logged: string[] = [];
  const post: Post = async (question) => {
    questions.push(question);
    const { status, body = '' } = await answer();
    return { status, body: new TextEncoder().encode(body) };
  };
  const webhook = new WebhookDecider(
    {
      url: new URL('https://cms.example/publish'),
      secret: SECRET,
      timeoutMs: 3000,
      cacheAllowMs: 60_000,
      cacheDenyMs: 5000,
    },
    {
      post,
      log: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
      now: () => clock.now,
    },
  );
  return { webhook, questions, clock, logged };
}

function claim(credential = 'key', address = '203.0.113.9'): PublishClaim {
  const name = parseStreamName('cam');
  if (!name.ok) {
    throw new Error('cam');
  }
  return { stream: name.value, protocol: 'rtmp', credential, address };
}

const YES = { status: 200, body: '{"allow":true}' };
const NO = { status: 200, body: '{"allow":false}' };

describe('a publish webhook', () => {
  it('is asked with what the publisher shows, signed with the time', async () => {
    const { webhook, questions } = setUp(() => YES);
    expect(await webhook.decide(claim())).toEqual({ kind: 'allowed' });
    const [question] = questions;
    const body = '{"stream":"cam","protocol":"rtmp","address":"203.0.113.9","key":"key"}';
    expect(new TextDecoder().decode(question?.body)).toBe(body);
    const mac = createHmac('sha256', SECRET).update(`1800000000.${body}`).digest('hex');
    expect(question?.headers['rill-signature']).toBe(`t=1800000000,v1=${mac}`);
    expect(question?.timeoutMs).toBe(3000);
  });

  it('is not asked again while its yes is kept, nor while its no is', async () => {
    for (const [answer, keptMs] of [
      [YES, 60_000],
      [NO, 5000],
    ] as const) {
      const { webhook, questions, clock } = setUp(() => answer);
      const first = await webhook.decide(claim());
      clock.now += keptMs - 1;
      expect(webhook.decide(claim())).toEqual(first);
      clock.now += 1;
      await webhook.decide(claim());
      expect(questions).toHaveLength(2);
    }
  });

  it('decides on each key and each address by itself', async () => {
    const { webhook, questions } = setUp(() => YES);
    await webhook.decide(claim());
    await webhook.decide(claim('other'));
    await webhook.decide(claim('key', '203.0.113.10'));
    expect(questions).toHaveLength(3);
  });

  it.each([{ status: 401 }, { status: 403, body: '{"allow":true}' }, NO])(
    'refuses with %j',
    async (answer) => {
      expect(await setUp(() => answer).webhook.decide(claim())).toMatchObject({ kind: 'refused' });
    },
  );

  it.each([
    { status: 500, body: '{"allow":true}' },
    { status: 302 },
    { status: 204 },
    { status: 200 },
    { status: 200, body: 'allow' },
    { status: 200, body: '{"allow":"true"}' },
    { status: 200, body: '[true]' },
  ])('has not decided with %j, which is logged and not kept', async (answer) => {
    const { webhook, questions, logged } = setUp(() => answer);
    expect(await webhook.decide(claim('a-secret-key'))).toMatchObject({ kind: 'undecided' });
    await webhook.decide(claim('a-secret-key'));
    expect(questions).toHaveLength(2);
    expect(logged.join()).toContain('the publish webhook answered');
    expect(logged.join()).not.toContain('a-secret-key');
  });

  it('that is away refuses, and its kept yes goes on', async () => {
    let away = false;
    const { webhook, logged } = setUp(() => (away ? Promise.reject(new Error('cannot reach it')) : YES));
    await webhook.decide(claim());
    away = true;
    expect(webhook.decide(claim())).toEqual({ kind: 'allowed' });
    expect(await webhook.decide(claim('other'))).toMatchObject({ kind: 'undecided' });
    expect(logged.join()).toContain('the publish webhook is away: cannot reach it');
  });

  it('is asked once for the same publisher, four things for one address and sixteen in all at a time', async () => {
    const { webhook, questions } = setUp(() => new Promise<never>(() => undefined));
    void webhook.decide(claim());
    void webhook.decide(claim());
    expect(questions).toHaveLength(1);
    for (let index = 0; index < 10; index += 1) {
      void webhook.decide(claim(`guess ${index}`));
    }
    expect(questions).toHaveLength(4);
    for (let index = 0; index < 100; index += 1) {
      void webhook.decide(claim(`guess ${index}`, `198.51.100.${index}`));
    }
    expect(questions).toHaveLength(16);
    expect(webhook.decide(claim('late', '192.0.2.1'))).toMatchObject({ kind: 'undecided' });
  });

  it('keeps its yes for a publisher through a flood of guesses', async () => {
    const { webhook, questions } = setUp(() => (questions.length === 1 ? YES : NO));
    await webhook.decide(claim());
    for (let index = 0; index < 10_001; index += 1) {
      await webhook.decide(claim(`guess ${index}`));
    }
    expect(webhook.decide(claim())).toEqual({ kind: 'allowed' });
  });
});
