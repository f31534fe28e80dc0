/** Requests as they are written: no path is tidied, no header added. */

import { request } from 'node:http';

/** What to send. */
export interface RawRequest {
  readonly path: string;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  readonly milliseconds: number;
}

/** Longest wait, milliseconds: beyond it an edge hangs. */
const TIMEOUT_MS = 10_000;

/** Sends a request; a connection that is closed without an answer counts as status 400, as from a server that says so. */
export async function sendRaw(base: string, raw: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const headers = { host: `${hostname}:${port}`, ...raw.headers };
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path: raw.path, method: raw.method ?? 'GET', headers };
    const sent = request({ ...options, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString('latin1'),
          milliseconds: performance.now() - started,
        });
      });
    });
    sent.on('timeout', () => {
      sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') {
        resolve({ status: 400, headers: {}, body: '', milliseconds: performance.now() - started });
      } else {
        reject(error);
      }
    });
    sent.end();
  });
}
