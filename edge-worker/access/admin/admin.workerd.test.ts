import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { exports } from 'cloudflare:workers';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { PLAY_SECRET, SERVICE_TOKEN, signToken, testEnv } from '../../testing/fixture.ts';
import { createGateway } from '../../gateway/app.ts';

const DENY_US = {
  access: 'token',
  rules: [{ id: 'no-us', effect: 'deny', match: { countries: ['US'] } }],
};
const SECRET_KEY = {
  kind: 'jwk',
  keyId: 'partner',
  algorithm: 'HS256',
  jwk: { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA' },
};

let names = 0;

/** The administration over a registry of its own. */
class Admin {
  readonly stub = exports.AccessRegistry.getByName(`registry-${(names += 1)}`);
  readonly #app = createGateway({
    deliver: async () => new Response('delivered'),
    now: () => Math.floor(Date.now() / 1000),
  });

  async ask(
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly token?: string | undefined; readonly ifMatch?: string } = {},
  ): Promise<{ readonly status: number; readonly body: unknown; readonly etag: string | null }> {
    const headers = new Headers();
    const token = 'token' in options ? options.token : await adminToken();
    if (token !== undefined) {
      headers.set('authorization', `Bearer ${token}`);
    }
    if (options.ifMatch !== undefined) {
      headers.set('if-match', options.ifMatch);
    }
    const body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
    const request = new Request(`https://edge.example/v1/admin${path}`, {
      method,
      headers,
      ...(options.body === undefined ? {} : { body }),
    });
    const answer = await this.#app.fetch(
      request,
      testEnv({ ACCESS_REGISTRY: { getByName: () => this.stub } }),
    );
    return { status: answer.status, body: await answer.json(), etag: answer.headers.get('etag') };
  }

  async status(method: string, path: string, options: Parameters<Admin['ask']>[2] = {}): Promise<number> {
    return (await this.ask(method, path, options)).status;
  }

  async version(): Promise<number> {
    return this.stub.version();
  }
}

async function adminToken(claims: Record<string, unknown> = {}, secret = PLAY_SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ scope: 'admin', sub: 'alice', iat: now, exp: now + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}

it('is open to a token with the scope admin in Authorization alone', async () => {
  const admin = new Admin();
  const now = Math.floor(Date.now() / 1000);
  expect(await admin.status('GET', '/policies')).toBe(200);
  expect(await admin.status('GET', '/policies', { token: undefined })).toBe(401);
  expect(await admin.status('GET', `/policies?token=${await adminToken()}`, { token: undefined })).toBe(401);
  expect(await admin.status('GET', '/policies', { token: SERVICE_TOKEN })).toBe(401);
  expect(await admin.status('GET', '/policies', { token: await adminToken({ exp: now - 60 }) })).toBe(401);
  expect(await admin.status('GET', '/policies', { token: await adminToken({ exp: undefined }) })).toBe(401);
  const forged = await adminToken({}, 'another secret that is long enough as well');
  expect(await admin.status('GET', '/policies', { token: forged })).toBe(401);
  expect(await admin.status('GET', '/policies', { token: 'x'.repeat(5000) })).toBe(401);
  const playing = await signToken({ exp: now + 60 });
  expect(await admin.status('GET', '/policies', { token: playing })).toBe(403);
  expect(
    await admin.status('GET', '/policies', { token: await adminToken({ scope: 'administrator' }) }),
  ).toBe(403);
});

it('begins with a policy that asks for a token, and says which version it is', async () => {
  const { body, etag } = await new Admin().ask('GET', '/policies');
  expect(body).toEqual({ version: 0, policies: { default: { access: 'token', rules: [] }, streams: {} } });
  expect(etag).toBe('"0"');
});

it('puts, reads and deletes policies, each time under a higher version', async () => {
  const admin = new Admin();
  const first = await admin.ask('PUT', '/policies/streams/news', { body: DENY_US });
  const second = await admin.ask('PUT', '/policies/default', { body: { ...DENY_US, access: 'public' } });
  const read = await admin.ask('GET', '/policies');
  expect(read.body).toEqual({
    version: await admin.version(),
    policies: { default: { ...DENY_US, access: 'public' }, streams: { news: DENY_US } },
  });
  expect(await admin.ask('GET', '/policies/streams/news')).toMatchObject({ status: 200, body: DENY_US });
  expect(await admin.status('DELETE', '/policies/streams/news')).toBe(200);
  expect(await admin.status('DELETE', '/policies/streams/news')).toBe(404);
  expect(await admin.status('GET', '/policies/streams/constructor')).toBe(404);
  const versions = [first, second, await admin.ask('GET', '/policies')].map(({ etag }) =>
    Number(etag?.slice(1, -1)),
  );
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(new Set(versions).size).toBe(3);
});

it('changes only the version that If-Match names', async () => {
  const admin = new Admin();
  const { etag } = await admin.ask('PUT', '/policies/default', { body: DENY_US, ifMatch: '"0"' });
  expect(etag).not.toBeNull();
  expect(await admin.ask('PUT', '/policies/default', { body: DENY_US, ifMatch: '"0"' })).toMatchObject({
    status: 412,
    body: { error: 'version-conflict' },
  });
  expect(await admin.status('PUT', '/policies/default', { body: DENY_US, ifMatch: etag ?? '' })).toBe(200);
  expect(await admin.status('PUT', '/policies/default', { body: DENY_US, ifMatch: '*' })).toBe(200);
  expect(await admin.status('PUT', '/policies/default', { body: DENY_US, ifMatch: 'W/"x"' })).toBe(400);
});

it('says what is wrong with a body, and changes nothing', async () => {
  const admin = new Admin();
  const rule = { id: 'r', effect: 'deny', match: { country: ['US'] } };
  const refused = await admin.ask('PUT', '/policies/default', { body: { access: 'token', rules: [rule] } });
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid' } });
  expect(JSON.stringify(refused.body)).toContain('rules[0].match');
  expect(await admin.status('PUT', '/policies/default', { body: '{' })).toBe(400);
  expect(await admin.status('PUT', '/policies/streams/Not%20A%20Name', { body: DENY_US })).toBe(400);
  expect(await admin.status('PUT', '/policies/default', { body: ' '.repeat(5_000_000) })).toBe(413);
  expect(await admin.version()).toBe(0);
});

it('never shows the secret of a key again, in keys or in the audit log', async () => {
  const admin = new Admin();
  expect(await admin.status('POST', '/keys', { body: SECRET_KEY })).toBe(200);
  const url = 'https://issuer.example/.well-known/jwks.json';
  const jwks = { kind: 'jwks-url', url, algorithms: ['ES256'], issuer: 'https://issuer.example' };
  expect(await admin.status('POST', '/keys', { body: jwks })).toBe(200);
  const keys = await admin.ask('GET', '/keys');
  expect(keys.body).toMatchObject({ keys: [{ id: 'partner', jwk: { kty: 'oct' } }, { id: url }] });
  const audit = await admin.ask('GET', '/audit');
  expect(JSON.stringify([keys.body, audit.body])).not.toContain(SECRET_KEY.jwk.k);
  expect((await admin.stub.snapshot()).json).toContain(SECRET_KEY.jwk.k);
  expect(await admin.status('DELETE', `/keys/${encodeURIComponent(url)}`)).toBe(200);
  expect(await admin.status('DELETE', '/keys/partner')).toBe(200);
  expect(await admin.status('DELETE', '/keys/partner')).toBe(404);
});

it('revokes, takes back, and forgets when the time is over', async () => {
  const admin = new Admin();
  const now = Math.floor(Date.now() / 1000);
  expect(await admin.status('POST', '/revocations', { body: { kind: 'viewer', id: 'eve/1' } })).toBe(200);
  expect(
    await admin.status('POST', '/revocations', { body: { kind: 'token', id: 't', until: now + 3600 } }),
  ).toBe(200);
  const { body } = await admin.ask('GET', '/revocations');
  expect(body).toMatchObject({
    revocations: [
      { kind: 'viewer', id: 'eve/1' },
      { kind: 'token', id: 't' },
    ],
  });
  expect(await admin.status('DELETE', '/revocations/viewer/eve%2F1')).toBe(200);
  expect(await admin.status('DELETE', '/revocations/stream/x')).toBe(404);

  await runInDurableObject(admin.stub, (_, { storage: { sql } }) => {
    const over = JSON.stringify({ kind: 'token', id: 't', issuedUpTo: 1, until: now - 1 });
    sql.exec("UPDATE item SET body = ? WHERE kind = 'revocation'", over);
  });
  await evictDurableObject(admin.stub);
  const version = await admin.version();
  expect(await runDurableObjectAlarm(admin.stub)).toBe(true);
  expect(JSON.parse((await admin.stub.snapshot()).json)).toMatchObject({ version, revocations: [] });
  const rows = await runInDurableObject(admin.stub, (_, { storage: { sql } }) =>
    sql.exec("SELECT * FROM item WHERE kind = 'revocation'").toArray(),
  );
  expect(rows).toEqual([]);
});

it('shuts out an admin token that is itself revoked, at once', async () => {
  const admin = new Admin();
  const token = await adminToken({ jti: 'stolen' });
  expect(await admin.status('GET', '/policies', { token })).toBe(200);
  await admin.ask('POST', '/revocations', { body: { kind: 'token', id: 'stolen' } });
  expect(await admin.status('GET', '/policies', { token })).toBe(401);
  expect(await admin.status('GET', '/audit', { token })).toBe(401);
  expect(await admin.status('PUT', '/policies/default', { body: DENY_US, token })).toBe(401);
});

it('writes who changed what into an audit log that is read in pages', async () => {
  const admin = new Admin();
  for (const stream of ['a', 'b', 'c']) {
    await admin.ask('PUT', `/policies/streams/${stream}`, { body: DENY_US });
  }
  await admin.ask('DELETE', '/policies/streams/none');
  const first = await admin.ask('GET', '/audit?limit=2');
  expect(first.body).toMatchObject({
    entries: [
      { actor: 'alice', action: 'put-stream-policy', target: 'c', version: await admin.version() },
      { target: 'b', detail: JSON.stringify(DENY_US) },
    ],
    next: 2,
  });
  expect((await admin.ask('GET', '/audit?limit=2&before=2')).body).toMatchObject({
    entries: [{ target: 'a' }],
  });
  expect(await admin.status('GET', '/audit?limit=x')).toBe(400);
});

it('keeps everything when the object is evicted and begins anew', async () => {
  const admin = new Admin();
  await admin.ask('PUT', '/policies/streams/news', { body: DENY_US });
  await admin.ask('POST', '/keys', { body: SECRET_KEY });
  await admin.ask('POST', '/revocations', { body: { kind: 'session', id: 's' } });
  const before = await admin.stub.snapshot();
  await evictDurableObject(admin.stub);
  expect(await admin.stub.snapshot()).toEqual(before);
});

it('tells what the policies in force say of a place', async () => {
  const admin = new Admin();
  await admin.ask('PUT', '/policies/streams/news', { body: DENY_US });
  const ask = async (country: string): Promise<unknown> => {
    const body = { stream: 'news', place: { country } };
    return (await admin.ask('POST', '/policies/decision', { body })).body;
  };
  expect(await ask('US')).toEqual({ kind: 'deny', rule: 'no-us' });
  expect(await ask('DE')).toEqual({ kind: 'allow' });
});

it('describes every route in OpenAPI, from the schemas that read its bodies', async () => {
  const admin = new Admin();
  const { body } = await admin.ask('GET', '/openapi.json', { token: undefined });
  expect(body).toMatchObject({
    openapi: '3.1.0',
    paths: {
      '/v1/admin/policies': { get: {}, put: {} },
      '/v1/admin/policies/streams/{stream}': { get: {}, put: {}, delete: {} },
      '/v1/admin/keys/{id}': { delete: {} },
      '/v1/admin/revocations': { get: {}, post: { requestBody: {} } },
      '/v1/admin/audit': { get: {} },
    },
    components: { schemas: { StreamPolicy: { properties: { access: { enum: ['token', 'public'] } } } } },
  });
  const text = JSON.stringify(body);
  const named = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name));
  expect([...named].every((name) => text.includes(`"${name}":{`))).toBe(true);
});

it('honours the places of an admin token', async () => {
  const token = await adminToken({ prefix: ['192.0.2.0/24'] });
  expect(await new Admin().status('GET', '/policies', { token })).toBe(403);
});

it('is unavailable while the registry is, and says when to ask again', async () => {
  const away = async (): Promise<never> => {
    throw new Error('the object has moved');
  };
  const registry = { version: away, snapshot: away, read: away, change: away, auditLog: away };
  const app = createGateway({ deliver: away });
  const headers = { authorization: `Bearer ${await adminToken()}` };
  const request = new Request('https://edge.example/v1/admin/policies', { headers });
  const answer = await app.fetch(request, testEnv({ ACCESS_REGISTRY: { getByName: () => registry } }));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
});

it('answers other methods and paths as such', async () => {
  const admin = new Admin();
  expect(await admin.status('PATCH', '/policies')).toBe(405);
  expect(await admin.status('GET', '/nothing')).toBe(404);
});
