/** A publisher over SRT that sends more than it may, and one beside it. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { IngestGate } from '../../origin/ingest/media-feed.ts';
import { protectIngest } from '../../origin/ingest/protection/protection.ts';
import { ingestLimitsSchema } from '../../origin/ingest/protection/settings.ts';
import { TestGate, TEST_KEY } from '../../origin/ingest/rtmp/test-gate.ts';
import { startSrtServer, type SrtServer } from '../../origin/ingest/srt/srt-server.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const gate = new TestGate();
const encoders: ChildProcess[] = [];
let log = '';
let server: SrtServer;

beforeAll(async () => {
  const sink = new PassThrough();
  sink.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const lines = pino(sink);
  // The key of the test's gate is none that ffmpeg carries in a stream id.
  const open: IngestGate = { admit: (request) => gate.admit({ ...request, key: TEST_KEY }) };
  const ingest = protectIngest(open, ingestLimitsSchema.parse({ maxMbps: 2 }), lines);
  server = await startSrtServer({
    ...{ host: '127.0.0.1', port: 0, gate: ingest.gate, log: lines, latencyMs: 120 },
  });
});

afterAll(async () => {
  for (const encoder of encoders.filter(({ exitCode }) => exitCode === null)) {
    encoder.kill('SIGKILL');
    await once(encoder, 'exit');
  }
  await server?.close();
});

function publish(stream: string, bitrate: string): void {
  const url = `srt://127.0.0.1:${server.port}?streamid=publish:${stream}:key`;
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25,noise=alls=100:allf=t'];
  const rate = ['-b:v', bitrate, '-minrate', bitrate, '-maxrate', bitrate, '-bufsize', bitrate];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', ...rate];
  encoders.push(
    spawn('ffmpeg', ['-v', 'error', ...source, ...codec, '-f', 'mpegts', url], { stdio: 'ignore' }),
  );
}

test('who sends more than the rate is ended with one line on it; the stream beside it goes on', async () => {
  publish('calm', '200k');
  publish('flood', '8M');
  await vi.waitUntil(() => gate.endOf('flood'), WAIT);
  expect(gate.endOf('flood')).toEqual({
    reason: 'closed',
    detail: 'more than 2 Mbit/s (ingestLimits.maxMbps)',
  });
  expect(log.match(/SRT publisher ended: more than 2 Mbit/g)).toHaveLength(1);
  const events = (): number => gate.feedsOf('calm')[0]?.events.length ?? 0;
  const before = events();
  await vi.waitUntil(() => events() > before + 10, WAIT);
  expect(gate.endOf('calm')).toBeUndefined();
});
