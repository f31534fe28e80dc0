import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient } from './http-client.ts';
import { startTestServer, type TestAnswer, type TestServer } from './test-server.ts';

const servers: TestServer[] = [];
const client = createHttpClient({ maxConnections: 2 });
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.close();
  }
});

async function serve(answers: TestAnswer[]): Promise<TestServer> {
  const server = await startTestServer(() => answers.shift() ?? { status: 204 });
  servers.push(server);
  return server;
}

function get(url: URL, extra: { maxAnswerBytes?: number; signal?: AbortSignal; timeoutMs?: number } = {}) {
  return client.send({ method: 'GET', url, headers: {}, timeoutMs: 5000, ...extra });
}

describe('an HTTP client', () => {
  it('returns any status with its body', async () => {
    const server = await serve([{ status: 503, body: 'later' }]);
    const answer = await get(server.url);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([503, 'later']);
  });

  it('repeats a request when the server closed the kept connection meanwhile', async () => {
    const server = await serve([{ status: 200 }, 'reset', { status: 201 }]);
    await get(server.url);
    expect((await get(server.url)).status).toBe(201);
    expect(server.connections()).toBe(2);
  });

  it('names a server that cannot be reached', async () => {
    const server = await startTestServer(() => 'reset');
    await server.close();
    await expect(get(server.url)).rejects.toMatchObject({
      code: 'unreachable',
      message: `cannot reach http://127.0.0.1:${server.port} (ECONNREFUSED): is it running and is the address right?`,
    });
  });

  it('gives up when no answer comes in time', async () => {
    const server = await serve(['hang']);
    await expect(get(server.url, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('gives up when told to, before and during the exchange', async () => {
    const server = await serve(['hang']);
    await expect(get(server.url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const controller = new AbortController();
    const pending = get(server.url, { signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'aborted' });
  });

  it('reads no more of an answer than it is allowed to', async () => {
    const server = await serve([{ status: 200, body: 'x'.repeat(100) }]);
    await expect(get(server.url, { maxAnswerBytes: 99 })).rejects.toMatchObject({ code: 'answer-too-large' });
  });
});
