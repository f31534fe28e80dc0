import { createServer } from 'node:http';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { jwtVerify } from 'jose';
import { askQosReport } from './qos-report.ts';

const SECRET = 'a-secret-of-the-test-and-of-nothing-else';

async function asked(
  answer: { readonly status: number; readonly body: string },
  run: (port: number) => Promise<string>,
): Promise<{ readonly result: string; readonly url: string; readonly token: string }> {
  const seen = { url: '', token: '' };
  const server = createServer((request, response) => {
    seen.url = request.url ?? '';
    seen.token = request.headers.authorization ?? '';
    response.writeHead(answer.status).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  try {
    return { result: await run(typeof address === 'object' ? (address?.port ?? 0) : 0), ...seen };
  } finally {
    server.close();
  }
}

const location = (edge: number) => ({ host: '127.0.0.1', ports: { edge, rtmp: 1, srt: 1, control: 1 } });
const now = Date.now() / 1000;

test('asks the edge with a token for analytics and prints a table', async () => {
  const body = JSON.stringify({ rows: [{ time: 1_800_000_000, country: 'DE', p50_ms: 412.123456 }] });
  const { result, url, token } = await asked({ status: 200, body }, (port) =>
    askQosReport(
      { report: 'startup', parameters: { stream: 'show', step: '1m', from: undefined }, format: 'table' },
      { location: location(port), playSecret: SECRET, now },
    ),
  );
  expect(url).toBe('/v1/qos/startup?stream=show&step=1m&format=json');
  const { payload } = await jwtVerify(token.replace('Bearer ', ''), new TextEncoder().encode(SECRET));
  expect(payload['scope']).toBe('analytics');
  expect(result).toBe('TIME                  COUNTRY  P50_MS\n2027-01-15T08:00:00Z  DE       412.1235');
});

test('says what the edge says is wrong', async () => {
  const body = '{"error":"unknown-report"}';
  const run = asked({ status: 404, body }, (port) =>
    askQosReport(
      { report: 'x', parameters: {}, format: 'csv' },
      { location: location(port), playSecret: SECRET, now },
    ),
  );
  await expect(run).rejects.toThrow('answered 404: {"error":"unknown-report"}');
});
