/** The watch page and its files, with the headers that keep a token on it private. */

import { parseStreamName } from '../../shared/identifiers.ts';
import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';

const ASSET_ORIGIN = 'https://assets.rill';

/** Nothing is loaded from another host, and no page of another origin may frame the player. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** Answers `GET /watch/{stream}`: the same page for every stream, it reads its own address. */
export async function answerWatchPage(streamText: string, request: Request, env: Env): Promise<Response> {
  const stream = parseStreamName(streamText);
  if (!stream.ok) {
    return errorAnswer(404, stream.failure.reason, { detail: `stream name: ${stream.failure.expected}` });
  }
  return pageFile('/watch.html', request, env);
}

/** Files whose name stays while their content changes: modules that other people's pages import. */
const STABLE_ASSETS: ReadonlySet<string> = new Set(['/assets/rill-qoe.js']);

/** Answers `GET /assets/{file}`; but for {@link STABLE_ASSETS} the names carry a digest of their content. */
export async function answerAsset(request: Request, env: Env): Promise<Response> {
  return pageFile(new URL(request.url).pathname, request, env);
}

async function pageFile(path: string, request: Request, env: Env): Promise<Response> {
  const file = await env.ASSETS.fetch(new Request(new URL(path, ASSET_ORIGIN), conditional(request)));
  if (file.status !== 200 && file.status !== 304) {
    return errorAnswer(404, 'no-such-page');
  }
  const headers = new Headers(file.headers);
  headers.set('content-security-policy', CONTENT_SECURITY_POLICY);
  headers.set('referrer-policy', 'no-referrer');
  headers.set('x-content-type-options', 'nosniff');
  headers.set('cache-control', pageCacheControl(path));
  return new Response(request.method === 'HEAD' ? null : file.body, { status: file.status, headers });
}

function pageCacheControl(path: string): string {
  if (STABLE_ASSETS.has(path)) {
    return 'public, max-age=3600, stale-while-revalidate=86400';
  }
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
}

function conditional(request: Request): RequestInit {
  const tag = request.headers.get('if-none-match');
  return tag === null ? {} : { headers: { 'if-none-match': tag } };
}
