/** A webhook's receiver: refuses as often as asked, then checks signatures as Standard Webhooks 1.0 says. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

/** A message that was taken. */
export interface ReceivedMessage {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A running receiver. */
export interface WebhookReceiver {
  readonly url: string;
  /** Messages with a valid signature that were taken, in order. */
  readonly taken: readonly ReceivedMessage[];
  /** `webhook-id` of each request, those that were refused too. */
  readonly asked: readonly string[];
  readonly forged: number;
  close(): Promise<void>;
}

/** Listens on a free port; each of `refusals` is the status of one answer before the first 204. */
export async function receiveWebhooks(
  secret: string,
  refusals: readonly number[] = [],
): Promise<WebhookReceiver> {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const state = { taken: [] as ReceivedMessage[], asked: [] as string[], forged: 0 };
  const left = [...refusals];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      state.asked.push(String(request.headers['webhook-id']));
      const status = left.shift();
      if (status === undefined && isSigned(request.headers, body, key)) {
        const message: { type: string; data: Record<string, unknown> } = JSON.parse(body);
        state.taken.push({ id: String(request.headers['webhook-id']), ...message });
      } else if (status === undefined) {
        state.forged += 1;
      }
      response.writeHead(status ?? 204, { location: '/elsewhere' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    ...{ taken: state.taken, asked: state.asked },
    get forged() {
      return state.forged;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function isSigned(headers: IncomingHttpHeaders, body: string, key: Uint8Array): boolean {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}
