import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { InputMeter } from './input-meter.ts';
import { FLV_VIDEO, writeFlvTag } from './flv/flv-tag.ts';

const run = promisify(execFile);

function flvFrame(timestamp: number, isKey: boolean): Uint8Array {
  return writeFlvTag({ type: FLV_VIDEO, timestamp, body: Uint8Array.of(isKey ? 0x17 : 0x27, 1, 0, 0, 0, 9) });
}

test('frames of FLV tags are counted by their own clock, also across the end of its 32 bits', () => {
  const meter = new InputMeter('flv');
  for (let frame = 0; frame < 100; frame += 1) {
    const timestamp = (2 ** 32 - 1_000 + frame * 40) % 2 ** 32;
    const isKey = frame % 25 === 0;
    meter.add({ kind: 'media', bytes: flvFrame(timestamp, isKey), randomAccess: isKey }, frame * 40);
  }
  const measure = meter.measure(4_000);
  expect(measure).toMatchObject({ frameRate: 25, gopSeconds: 1, longestGopSeconds: 1 });
  expect(measure.bitrate).toBe((100 * 21 * 8_000) / 4_000);
});

test('a clock that jumps is no frame and no GOP, and sequence headers are none either', () => {
  const meter = new InputMeter('flv');
  const header = writeFlvTag({ type: FLV_VIDEO, timestamp: 0, body: Uint8Array.of(0x17, 0, 0, 0, 0, 9) });
  meter.add({ kind: 'media', bytes: header, randomAccess: false }, 0);
  for (const timestamp of [0, 40, 80, 3_600_000, 3_600_040]) {
    meter.add({ kind: 'media', bytes: flvFrame(timestamp, true), randomAccess: true }, 100);
  }
  expect(meter.measure(1_000)).toMatchObject({ frameRate: 25, gopSeconds: 0.04 });
});

test('pictures of a real transport stream are counted; what is garbage is nothing', async () => {
  const { stdout } = await run(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=128x72:rate=30:duration=2', '-c:v', 'libx264'],
      ...['-bf', '2', '-g', '30', '-pix_fmt', 'yuv420p', '-f', 'mpegts', 'pipe:1'],
    ],
    { encoding: 'buffer', maxBuffer: 8 * 1024 * 1024 },
  );
  const meter = new InputMeter('mpegts');
  meter.add({ kind: 'media', bytes: stdout, randomAccess: true }, 0);
  meter.add({ kind: 'media', bytes: new Uint8Array(188 * 4).fill(0x47), randomAccess: true }, 0);
  expect(meter.measure(2_000)).toMatchObject({
    frameRate: 30,
    bitrate: ((stdout.length + 752) * 8_000) / 2_000,
  });
});

test('what is older than the window is forgotten', () => {
  const meter = new InputMeter('flv');
  meter.add({ kind: 'media', bytes: flvFrame(0, true), randomAccess: true }, 0);
  expect(meter.measure(60_000).bitrate).toBe(0);
});
