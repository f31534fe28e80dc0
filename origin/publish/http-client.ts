/**
 * HTTP/1.1 requests over kept connections, for the hub and for object storage.
 *
 * `node:http` rather than `fetch`: with 200 KB bodies it answers half a millisecond sooner and takes less
 * than half the CPU time, and this client runs once for each part of each rendition.
 */

import http from 'node:http';
import https from 'node:https';

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Time for the whole exchange, milliseconds. */
  readonly timeoutMs: number;
  /** Largest answer body that is read, bytes; {@link DEFAULT_MAX_ANSWER_BYTES} where absent. */
  readonly maxAnswerBytes?: number;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal;
}

/** A complete answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Sends a request and resolves with any answer, whatever its status; throws {@link HttpError}. */
export type HttpSend = (request: HttpRequest) => Promise<HttpAnswer>;

/** Answers are small JSON or XML documents; anything larger is not from whom we think. */
const DEFAULT_MAX_ANSWER_BYTES = 256 * 1024;
/** An idle connection is closed after this many milliseconds: longer than a segment, shorter than most servers'. */
const IDLE_CONNECTION_MS = 15_000;

/** An exchange that brought no answer. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: 'unreachable' | 'timeout' | 'aborted' | 'answer-too-large';

  constructor(code: HttpError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Kept connections to one or more servers. */
export interface HttpClient {
  readonly send: HttpSend;
  /** Closes idle and busy connections. */
  close(): void;
}

/** Makes a client with at most `maxConnections` to each server. */
export function createHttpClient(options: { readonly maxConnections: number }): HttpClient {
  const agentOptions = {
    keepAlive: true,
    noDelay: true,
    maxSockets: options.maxConnections,
    timeout: IDLE_CONNECTION_MS,
  };
  const plain = new http.Agent(agentOptions);
  const secure = new https.Agent(agentOptions);
  return {
    send: (request) => sendOverKeptConnection(request, { plain, secure }),
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

interface Agents {
  readonly plain: http.Agent;
  readonly secure: https.Agent;
}

async function sendOverKeptConnection(request: HttpRequest, agents: Agents): Promise<HttpAnswer> {
  try {
    return await exchange(request, agents);
  } catch (error) {
    // A server may close a kept connection just as it is used again; all our requests are idempotent.
    if (error instanceof StaleConnection) {
      return await exchange(request, agents);
    }
    throw error;
  }
}

class StaleConnection extends HttpError {}

function exchange(request: HttpRequest, agents: Agents): Promise<HttpAnswer> {
  const secure = request.url.protocol === 'https:';
  const server = request.url.origin;
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? https : http).request(request.url, {
      agent: secure ? agents.secure : agents.plain,
      method: request.method,
      headers: { ...request.headers, 'content-length': String(request.body?.length ?? 0) },
    });
    let givenUp: HttpError | undefined;
    const giveUp = (error: HttpError): void => {
      givenUp ??= error;
      outgoing.destroy(givenUp);
    };
    const onAbort = (): void => giveUp(new HttpError('aborted', `request to ${server} was given up`));
    const timer = setTimeout(
      () => giveUp(new HttpError('timeout', `no answer from ${server} within ${request.timeoutMs} ms`)),
      request.timeoutMs,
    );
    request.signal?.addEventListener('abort', onAbort);
    const settle = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    };
    const refuse = (cause: unknown): void => {
      settle();
      reject(givenUp ?? asHttpError(cause, server, outgoing.reusedSocket));
    };
    outgoing.on('error', refuse);
    outgoing.on('response', (incoming) => {
      readAnswer(incoming, request).then((answer) => {
        settle();
        resolve(answer);
      }, refuse);
    });
    if (request.signal?.aborted === true) {
      onAbort();
      return;
    }
    outgoing.end(request.body);
  });
}

async function readAnswer(incoming: http.IncomingMessage, request: HttpRequest): Promise<HttpAnswer> {
  const limit = request.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) {
      throw new HttpError(
        'answer-too-large',
        `${request.url.origin} answered with more than ${limit} bytes: is this the right address?`,
      );
    }
    chunks.push(chunk);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) };
}

function asHttpError(cause: unknown, server: string, reusedConnection: boolean): HttpError {
  if (cause instanceof HttpError) {
    return cause;
  }
  const code = errorCode(cause);
  const message = `cannot reach ${server} (${code}): is it running and is the address right?`;
  return reusedConnection && (code === 'ECONNRESET' || code === 'EPIPE')
    ? new StaleConnection('unreachable', message, cause)
    : new HttpError('unreachable', message, cause);
}

function errorCode(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') {
    return cause.code;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
