import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient } from './http-client.ts';
import { openObjectStore } from './object-store.ts';
import { startTestServer, type ReceivedRequest, type TestAnswer, type TestServer } from './test-server.ts';

const SECRET = 'secret-access-key-of-the-test';
const servers: TestServer[] = [];
const client = createHttpClient({ maxConnections: 4 });
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.close();
  }
});

async function storeAnswering(answer: TestAnswer) {
  const requests: ReceivedRequest[] = [];
  const server = await startTestServer((request) => {
    requests.push(request);
    return answer;
  });
  servers.push(server);
  return { requests, store: storeAt(new URL('/base/', server.url)) };
}

function storeAt(endpoint: URL) {
  const credentials = { accessKeyId: 'access', secretAccessKey: SECRET };
  return openObjectStore({ endpoint, bucket: 'media', region: 'auto', ...credentials }, client.send);
}

describe('object storage', () => {
  it('puts objects path style, immutable, with the payload hash signed', async () => {
    const { requests, store } = await storeAnswering({ status: 200 });
    const bytes = Buffer.from('part');
    expect(await store.put('live/cam/1/v/0.0.m4s', bytes, 'video/mp4')).toEqual({
      ok: true,
      value: undefined,
    });
    const [request] = requests;
    expect(request?.method).toBe('PUT');
    expect(request?.path).toBe('/base/media/live/cam/1/v/0.0.m4s');
    expect(request?.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '4',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
    });
    expect(request?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=access\/\d{8}\/auto\/s3\/aws4_request, SignedHeaders=[^,]*x-amz-content-sha256[^,]*, Signature=[0-9a-f]{64}$/,
    );
    expect(Buffer.from(request?.body ?? []).toString()).toBe('part');
  });

  it('reads objects back, and an absent one as undefined', async () => {
    const found = await storeAnswering({
      status: 200,
      body: 'abc',
      headers: { 'content-type': 'video/mp4' },
    });
    expect(await found.store.get('k')).toMatchObject({ ok: true, value: Buffer.from('abc') });
    expect(await found.store.head('k')).toMatchObject({ ok: true, value: { contentType: 'video/mp4' } });
    const absent = await storeAnswering({ status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' });
    expect(await absent.store.get('k')).toEqual({ ok: true, value: undefined });
  });

  it.each([
    [403, 'SignatureDoesNotMatch', 'denied', 'RILL_S3_SECRET_ACCESS_KEY'],
    [404, 'NoSuchBucket', 'no-such-bucket', 'RILL_S3_BUCKET'],
    [503, 'SlowDown', 'unavailable', '503 SlowDown'],
    [400, 'EntityTooLarge', 'refused', '400 EntityTooLarge'],
  ])('names the cause of %i %s and its remedy, not the secret', async (status, code, reason, remedy) => {
    const { store } = await storeAnswering({ status, body: `<Error><Code>${code}</Code></Error>` });
    const result = await store.check();
    expect(result).toMatchObject({ ok: false, failure: { reason } });
    expect(JSON.stringify(result)).toContain(remedy);
    expect(JSON.stringify(result)).not.toContain(SECRET);
  });

  it('names an endpoint that cannot be reached', async () => {
    const server = await startTestServer(() => 'reset');
    await server.close();
    const result = await storeAt(server.url).check();
    expect(result).toMatchObject({ ok: false, failure: { reason: 'unreachable' } });
    expect(JSON.stringify(result)).toContain('RILL_S3_ENDPOINT');
  });
});
