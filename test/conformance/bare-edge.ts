/** An edge with no origin behind it, streams that a test publishes to it by hand, and requests sent as they stand. */

import { request, type IncomingHttpHeaders } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import {
  encodePublishFrames,
  publishAnswerSchema,
  type PublishAnswer,
  type PublishFrame,
} from '#shared/wire/publish.ts';
import { signPlayToken } from '../../cli/play-token.ts';
import { startEdgeHost } from '../../edge-worker/host/edge-host.ts';
import { framesOf, type Unnumbered } from '../../edge-worker/hub/window-fixture.ts';

const REQUEST_LIMIT_MS = 20_000;
/** For how long a request has to be without an answer to count as held. */
const HELD_MS = 200;
const SERVICE_TOKEN = 'the-service-token-of-the-conformance-tests';
const PLAY_SECRET = 'the-play-secret-of-the-conformance-tests';
/** So long that no session is begun, whose answers would be each viewer's own. */
const TOKEN_TTL = seconds(24 * 3_600);
const FIRST_EPOCH = 1_700_000_000;
const silence = (): void => undefined;

/** An answer as it came over the wire: nothing decoded, nothing followed. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

/** What a request has beyond its path. */
export interface WireRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A running edge. */
export interface BareEdge {
  readonly url: string;
  readonly dataDir: string;
  /** What an origin shows to publish. */
  readonly serviceToken: string;
  /** Sends a request whose path is not normalized. */
  send(path: string, options?: WireRequest): Promise<WireAnswer>;
  /** Starts a stream with these updates, which must be accepted. */
  publish(stream: string, ...updates: readonly Unnumbered[]): Promise<HandMadeStream>;
  /** A play token of a stream. */
  token(stream: string, viewer?: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts an edge on a free port, with a data folder of its own. */
export async function startBareEdge(): Promise<BareEdge> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rill-conformance-'));
  const host = await startEdgeHost({
    // Rules are about what delivery answers, not about what a cache in front of it may repeat.
    cacheMib: 0,
    host: '127.0.0.1',
    port: 0,
    dataDir,
    builtWorker: process.env['RILL_BUILT_WORKER'],
    secrets: {
      playSecret: PLAY_SECRET,
      serviceToken: SERVICE_TOKEN,
      s3AccessKeyId: 'conformance',
      s3SecretAccessKey: 'conformance-secret',
    },
    log: { debug: silence, info: silence, warn: silence, error: silence },
  });
  const send: BareEdge['send'] = (path, options) => sendRequest(host.port, path, options);
  return {
    url: host.url,
    dataDir,
    serviceToken: SERVICE_TOKEN,
    send,
    publish: async (stream, ...updates) => {
      const made = new HandMadeStream(send, stream, await playToken(stream));
      await made.publish(...updates);
      return made;
    },
    token: playToken,
    close: async () => {
      await host.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A stream whose every update a test chooses. */
export class HandMadeStream {
  readonly name: string;
  readonly token: string;
  readonly #send: BareEdge['send'];
  #epoch = FIRST_EPOCH;
  #seq = 0;

  constructor(send: BareEdge['send'], name: string, token: string) {
    this.#send = send;
    this.name = name;
    this.token = token;
  }

  /** The current epoch, in which the next update is published. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The number of the next update. */
  get seq(): number {
    return this.#seq;
  }

  /** Publishes the next updates, which must be accepted. */
  async publish(...updates: readonly Unnumbered[]): Promise<void> {
    const answer = await this.offer(framesOf(updates, this.#seq));
    if (answer.status !== 'accepted') {
      throw new Error(`not accepted: ${JSON.stringify(answer)}`);
    }
    this.#seq = answer.next;
  }

  /** Goes on in a newer epoch with these updates, the first of them its begin. */
  async beginEpoch(...updates: readonly Unnumbered[]): Promise<void> {
    this.#epoch += 1;
    this.#seq = 0;
    await this.publish(...updates);
  }

  /** Sends frames as they are and returns what the hub says. */
  async offer(frames: readonly PublishFrame[], epoch = this.#epoch): Promise<PublishAnswer> {
    const answer = await this.post(encodePublishFrames(frames), { epoch });
    return publishAnswerSchema.parse(JSON.parse(answer.text));
  }

  /** Sends a body as it is. */
  post(
    body: Uint8Array,
    {
      epoch = this.#epoch,
      bearer = SERVICE_TOKEN,
    }: { readonly epoch?: number; readonly bearer?: string } = {},
  ): Promise<WireAnswer> {
    return this.#send(`/publish/${this.name}/${epoch}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-length': String(body.length) },
      body,
    });
  }

  /** The path of something of this stream, with the token that opens it. */
  path(file: string): string {
    return `/t/${this.token}/live/${this.name}/${file}`;
  }

  /** Asks for something of this stream. */
  get(file: string, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    return this.#send(this.path(file), { headers });
  }

  /** Asks with another method. */
  ask(method: string, file: string, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    return this.#send(this.path(file), { method, headers });
  }
}

/** Whether an answer is still outstanding after a moment. */
export async function isHeld(answer: Promise<WireAnswer>): Promise<boolean> {
  const moment = new Promise<'held'>((resolve) => {
    setTimeout(() => resolve('held'), HELD_MS);
  });
  return (await Promise.race([answer, moment])) === 'held';
}

async function playToken(stream: string, viewer?: string): Promise<string> {
  const name = parseStreamName(stream);
  if (!name.ok) {
    throw new Error(`no stream name: ${stream}`);
  }
  const request = { stream: name.value, ttl: TOKEN_TTL, now: Date.now() / 1000, viewer };
  return signPlayToken(request, PLAY_SECRET);
}

function sendRequest(port: number, path: string, options: WireRequest = {}): Promise<WireAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, signal }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          bytes,
          text: bytes.toString(),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
