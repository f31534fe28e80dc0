import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../log.ts';
import { createHttpClient, type HttpClient } from '../../publish/http-client.ts';
import { EVENT_TYPES, EventLog, type OriginEvent } from '../event-log.ts';
import { readReceivers, readWebhookSecret, webhooksSchema } from './settings.ts';
import { signedHeaders } from './signature.ts';
import { openWebhookSender, type WebhookSender, type WebhookSenderOptions } from './webhook-sender.ts';

const SECRET = readWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') ?? Buffer.alloc(24);
const log = createLog({ level: 'silent', pretty: false, name: 'test' });
let folder: string;
let server: Server;
let client: HttpClient;
let url: URL;
let statuses: number[];
let bodies: string[];
const senders: WebhookSender[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-webhooks-'));
  client = createHttpClient({ maxConnections: 4 });
  statuses = [];
  bodies = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const status = statuses.shift() ?? 200;
      bodies.push(`${status} ${body}`);
      response.writeHead(status, { location: '/other' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = new URL(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`);
});

afterEach(async () => {
  for (const sender of senders.splice(0)) {
    await sender.close();
  }
  client.close();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function open(options: Partial<WebhookSenderOptions> = {}): Promise<WebhookSender> {
  const receiver = { name: 'cms', url, events: [...EVENT_TYPES], timeoutMs: 2_000, secrets: [SECRET] };
  const sender = await openWebhookSender({
    ...{ folder, receivers: [receiver], send: client.send, log, random: () => 0 },
    ...options,
    limits: { retry: { baseMs: 2, maxMs: 4 }, ...options.limits },
  });
  senders.push(sender);
  return sender;
}

function events(...streams: readonly string[]): readonly OriginEvent[] {
  const told: OriginEvent[] = [];
  const all = new EventLog(() => 0);
  all.subscribe((event) => told.push(event));
  streams.forEach((stream, index) => all.publish('stream.started', stream, { index }));
  return told;
}

const delivered = (): readonly string[] => bodies.filter((body) => body.startsWith('200'));

test('signatures are those of Standard Webhooks: its published example', () => {
  const headers = signedHeaders({
    ...{ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' },
    secrets: [SECRET, SECRET],
  });
  const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  expect(headers).toMatchObject({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': `${signature} ${signature}`,
  });
});

test('a message is sent again until it is taken, before the next of its stream; redirects are not followed', async () => {
  statuses = [500, 302, 404];
  const sender = await open();
  await Promise.all(events('a', 'a').map((event) => sender.publish(event)));
  await vi.waitFor(() => expect(delivered()).toHaveLength(2));
  expect(delivered().map((body) => /"index":(\d)/.exec(body)?.[1])).toEqual(['0', '1']);
  expect(bodies).toHaveLength(5);
  expect(sender.stats).toEqual([{ receiver: 'cms', waiting: 0, delivered: 2, failedTries: 3, dropped: 0 }]);
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
});

test('one stream that waits keeps no other waiting', async () => {
  statuses = [500];
  const sender = await open({ limits: { retry: { baseMs: 60_000, maxMs: 60_000 } } });
  const [first, second] = events('a', 'b');
  await sender.publish(first as OriginEvent);
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  await sender.publish(second as OriginEvent);
  await vi.waitFor(() => expect(delivered()).toHaveLength(1));
  expect(delivered()[0]).toContain('"stream":"b"');
});

test('a restart loses nothing and keeps the order; a damaged file is told and left out', async () => {
  const away = { limits: { retry: { baseMs: 60_000, maxMs: 60_000 } } };
  statuses = [503];
  const before = await open(away);
  await Promise.all(events('a', 'a', 'a').map((event) => before.publish(event)));
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  await before.close();
  await writeFile(join(folder, '000000000000000.json'), '{"half');
  await open();
  await vi.waitFor(() => expect(delivered()).toHaveLength(3));
  expect(delivered().map((body) => /"index":(\d)/.exec(body)?.[1])).toEqual(['0', '1', '2']);
});

test('messages are bounded: beyond, the oldest are given up; so are those that are too old', async () => {
  statuses = [500, 500, 500, 500];
  let now = 0;
  const limits = { maxWaiting: 2, maxAgeMs: 1_000, retry: { baseMs: 60_000, maxMs: 60_000 } };
  const sender = await open({ limits, now: () => now });
  for (const event of events('a', 'b', 'c')) {
    await sender.publish(event);
  }
  expect(sender.stats[0]).toMatchObject({ waiting: 2, dropped: 1 });
  await sender.close();
  now = 2_000;
  const later = await open({ limits, now: () => now });
  await vi.waitFor(() => expect(later.stats[0]).toMatchObject({ waiting: 0, dropped: 2 }));
});

test('receivers want a secret that is one, an http URL, and names that differ', () => {
  const receivers = webhooksSchema.parse([
    { name: 'cms', url: 'https://cms.example/hook', events: ['stream.stopped'] },
  ]);
  expect(readReceivers(receivers, {}).lines).toEqual([
    'RILL_WEBHOOK_SECRET is missing or not a webhook secret of 24 to 64 bytes; example: whsec_ and the output of: openssl rand -base64 32',
  ]);
  expect(readReceivers(receivers, { RILL_WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }).lines).toHaveLength(1);
  const one = `whsec_${Buffer.alloc(32).toString('base64')}`;
  const read = readReceivers(receivers, { RILL_WEBHOOK_SECRET: `${one} ${one}` });
  expect([read.lines, read.receivers[0]?.secrets.length]).toEqual([[], 2]);
  for (const wrong of ['ftp://cms.example/', 'file:///etc', 'https://me:pw@cms.example/', 'nonsense']) {
    expect(webhooksSchema.safeParse([{ name: 'cms', url: wrong }]).success).toBe(false);
  }
  const twice = { name: 'cms', url: 'https://cms.example/' };
  expect(webhooksSchema.safeParse([twice, twice]).success).toBe(false);
});
