/**
 * A Cloudflare account in memory, behind the part of Cloudflare's HTTP API that wrangler uses for a deployment,
 * answering as its public documentation says. It keeps buckets, lifecycle rules, Workers and secrets, and every call.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

/** The one account. */
export const ACCOUNT = '0123456789abcdef0123456789abcdef';
/** Its API token. */
export const API_TOKEN = 'api-token-for-tests';
const HOST = '127.0.0.1';

/** What the account has. */
export interface FakeAccount {
  readonly buckets: Map<string, unknown>;
  /** Metadata of the Workers' uploads: bindings, and the migrations that came last. */
  readonly workers: Map<string, Upload>;
  readonly secrets: Map<string, Map<string, string>>;
  readonly schedules: Map<string, unknown>;
}

/** A running API. */
export interface CloudflareApi {
  /** For `CLOUDFLARE_API_BASE_URL`. */
  readonly url: string;
  readonly account: FakeAccount;
  /** `METHOD path` of each call, in order; paths are relative to the account where they are below it. */
  readonly calls: string[];
  /** Calls that are answered with this error of the API until the entry is removed. */
  readonly failing: Map<string, { readonly status: number; readonly code: number }>;
  close(): Promise<void>;
}

/** Starts the API on a free port. */
export async function startCloudflareApi(): Promise<CloudflareApi> {
  const account: FakeAccount = {
    buckets: new Map(),
    workers: new Map(),
    secrets: new Map(),
    schedules: new Map(),
  };
  const calls: string[] = [];
  const failing: CloudflareApi['failing'] = new Map();
  const server = createServer((request, response) => {
    void answer(request, response, { account, calls, failing });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${HOST}:${port}/client/v4`,
    account,
    calls,
    failing,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Call {
  readonly method: string;
  /** Below the account: `/r2/buckets`; else from the root: `//user`. */
  readonly path: string;
  readonly body: Buffer;
}

class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { account, calls, failing }: Pick<CloudflareApi, 'account' | 'calls' | 'failing'>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const { pathname } = new URL(request.url ?? '/', 'http://api');
  const call = {
    method: request.method ?? 'GET',
    path: pathname.replace('/client/v4', '').replace(`/accounts/${ACCOUNT}/`, '/'),
    body: Buffer.concat(chunks),
  };
  const name = `${call.method} ${call.path}`;
  calls.push(name);
  const reply = (status: number, success: boolean, rest: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ success, errors: [], messages: [], result: null, ...rest }));
  };
  try {
    if (request.headers.authorization !== `Bearer ${API_TOKEN}`) {
      throw new ApiError(403, 10_000, 'Authentication error');
    }
    const failure = failing.get(name);
    if (failure !== undefined) {
      throw new ApiError(failure.status, failure.code, 'a failure that the test asked for');
    }
    const result = route(call, account);
    const pages = { page: 1, per_page: 50, total_pages: 1, count: 1, total_count: 1 };
    reply(200, true, Array.isArray(result) ? { result, result_info: pages } : { result });
  } catch (error) {
    const { status, code, message } = error instanceof ApiError ? error : new ApiError(500, 1, String(error));
    reply(status, false, { errors: [{ code, message }] });
  }
}

const uploadSchema = z.looseObject({
  bindings: z.array(z.unknown()).default([]),
  migrations: z.looseObject({ new_tag: z.string() }).optional(),
});
type Upload = z.infer<typeof uploadSchema>;
const newBucketSchema = z.object({ name: z.string() });
const secretsSchema = z.object({
  secrets: z.record(z.string(), z.object({ text: z.string() }).nullable()),
});

/** The answer's result; throws an {@link ApiError} for what the API refuses or this one does not know. */
function route(call: Call, account: FakeAccount): unknown {
  const { method, path } = call;
  const fixed = FIXED[`${method} ${path}`];
  if (fixed !== undefined) {
    return fixed;
  }
  if (`${method} ${path}` === 'GET /workers/scripts') {
    return [...account.workers].map(([id, { migrations }]) => ({ id, migration_tag: migrations?.new_tag }));
  }
  if (path.startsWith('/r2/buckets')) {
    return routeBucket(call, account);
  }
  const [, kind, worker = '', rest = ''] =
    /^\/workers\/(scripts|services|workers)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  if (kind !== undefined) {
    return routeWorker({ ...call, path: `${kind}${rest}` }, worker, account);
  }
  throw new ApiError(404, 7003, `${method} ${path} is not known here`);
}

const FIXED: Readonly<Record<string, unknown>> = {
  'GET /user': { id: 'user', email: 'operator@example.org' },
  'GET /user/tokens/verify': { id: 'token', status: 'active' },
  'GET /accounts': [{ id: ACCOUNT, name: 'Tests' }],
  'GET /memberships': [{ id: 'member', account: { id: ACCOUNT, name: 'Tests' } }],
  'GET /workers/subdomain': { subdomain: 'rill-tests' },
};

function routeBucket({ method, path, body }: Call, { buckets }: FakeAccount): unknown {
  if (method === 'POST' && path === '/r2/buckets') {
    const { name } = newBucketSchema.parse(JSON.parse(body.toString()));
    if (buckets.has(name)) {
      throw new ApiError(409, 10_004, 'The bucket you tried to create already exists, and you own it.');
    }
    buckets.set(name, undefined);
    return { name };
  }
  const [, name = '', lifecycle] = /^\/r2\/buckets\/([^/]+)(\/lifecycle)?$/.exec(path) ?? [];
  if (method === 'PUT' && lifecycle !== undefined && buckets.has(name)) {
    buckets.set(name, JSON.parse(body.toString()));
    return {};
  }
  if (method === 'GET' && lifecycle === undefined && buckets.has(name)) {
    return { name };
  }
  throw new ApiError(404, 10_006, 'The specified bucket does not exist.');
}

function routeWorker({ method, path, body }: Call, worker: string, account: FakeAccount): unknown {
  const { workers, secrets, schedules } = account;
  const isThere = workers.has(worker);
  switch (`${method} ${path}`) {
    case 'POST scripts/assets-upload-session':
      // Nothing left to upload: the token is that of a completed upload.
      return { jwt: 'completed', buckets: [] };
    case 'PUT scripts':
      workers.set(worker, { ...workers.get(worker), ...metadataOf(body) });
      return { id: worker, startup_time_ms: 1, etag: 'etag', pipeline_hash: 'hash' };
  }
  if (!isThere) {
    throw new ApiError(404, path.startsWith('services') ? 10_090 : 10_007, 'This Worker does not exist.');
  }
  switch (`${method} ${path}`) {
    case 'GET services':
      return {
        id: worker,
        default_environment: {
          environment: 'production',
          script: { last_deployed_from: 'wrangler', tag: 'tag' },
        },
      };
    case 'GET scripts/secrets':
      return [...(secrets.get(worker) ?? new Map<string, string>()).keys()].map((name) => ({
        name,
        type: 'secret_text',
      }));
    case 'PATCH scripts/secrets-bulk': {
      const given = Object.entries(secretsSchema.parse(JSON.parse(body.toString())).secrets);
      const texts = given.flatMap(([name, secret]): [string, string][] =>
        secret === null ? [] : [[name, secret.text]],
      );
      secrets.set(worker, new Map([...(secrets.get(worker) ?? []), ...texts]));
      return {};
    }
    case 'PUT scripts/schedules':
      schedules.set(worker, JSON.parse(body.toString()));
      return { schedules: [] };
    case 'GET workers':
      return { id: worker, name: worker, subdomain: { enabled: true, previews_enabled: true } };
    case 'GET scripts/deployments':
      return { deployments: [] };
    case 'GET scripts/settings':
      return { bindings: workers.get(worker)?.bindings ?? [] };
    case 'PATCH scripts/script-settings':
      return {};
    case 'GET scripts/subdomain':
    case 'POST scripts/subdomain':
      return { enabled: true, previews_enabled: true };
    default:
      throw new ApiError(404, 7003, `${method} ${path} is not known here`);
  }
}

/** The part `metadata` of a form. */
function metadataOf(form: Buffer): Upload {
  const text = form.subarray(0, form.indexOf('\r\n--', form.indexOf('name="metadata"'))).toString();
  return uploadSchema.parse(JSON.parse(text.slice(text.indexOf('{'))));
}
