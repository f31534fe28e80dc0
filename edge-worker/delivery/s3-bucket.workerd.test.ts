import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { testEnv } from '../testing/fixture.ts';
import { mediaBucket, openS3Bucket, S3Error } from './s3-bucket.ts';

const SETTINGS = {
  endpoint: 'https://store.example/base/',
  bucket: 'media',
  region: 'eu-central-1',
  accessKeyId: 'the-key-id',
  secretAccessKey: 'the-secret',
};

it('asks for an object with a signed request, path style', async () => {
  const asked: Request[] = [];
  const bucket = openS3Bucket(SETTINGS, async (input, init) => {
    asked.push(new Request(input, init));
    return new Response('bytes', { headers: { 'content-length': '5' } });
  });
  const object = await bucket.get('live/show/7/360p/42.m4s');
  expect(object?.size).toBe(5);
  expect(new TextDecoder().decode(await object?.arrayBuffer())).toBe('bytes');
  expect(asked[0]?.url).toBe('https://store.example/base/media/live/show/7/360p/42.m4s');
  expect(asked[0]?.headers.get('authorization')).toMatch(
    /^AWS4-HMAC-SHA256 Credential=the-key-id\/[0-9]{8}\/eu-central-1\/s3\/aws4_request, SignedHeaders=[a-z0-9;-]*x-amz-content-sha256/,
  );
});

it('counts the bytes itself where the store does not tell', async () => {
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('seven b'));
      controller.close();
    },
  });
  const object = await openS3Bucket(SETTINGS, async () => new Response(chunked)).get('a');
  expect(object?.size).toBe(7);
});

it('tells a missing object from a store that refuses, without the secret', async () => {
  expect(await openS3Bucket(SETTINGS, async () => new Response('', { status: 404 })).get('a')).toBeNull();
  const refusal = openS3Bucket(SETTINGS, async () => new Response('no', { status: 403 })).get('a');
  await expect(refusal).rejects.toBeInstanceOf(S3Error);
  await expect(refusal).rejects.toThrow(/answered 403: check .*keys/);
  await expect(refusal).rejects.not.toThrow(/the-secret/);
});

it('reads the R2 binding unless the environment names a store', () => {
  const bindings = testEnv({ MEDIA: env.MEDIA });
  expect(mediaBucket(bindings)).toBe(env.MEDIA);
  expect(mediaBucket({ ...bindings, RILL_S3_ENDPOINT: '' })).toBe(env.MEDIA);
  const named = { ...bindings, RILL_S3_ENDPOINT: 'https://store.example', RILL_S3_BUCKET: 'media' };
  expect(mediaBucket(named)).not.toBe(env.MEDIA);
  expect(mediaBucket(named)).toBe(mediaBucket(named));
});
