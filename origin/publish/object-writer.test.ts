import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../log.ts';
import { createHttpClient } from './http-client.ts';
import { openObjectStore } from './object-store.ts';
import { openObjectWriter, type ObjectWriter } from './object-writer.ts';
import type { ObjectWriterLimits } from './object-writer-limits.ts';
import { Spool } from './spool.ts';
import { startTestServer, type TestAnswer, type TestServer } from './test-server.ts';

const QUICK = { baseMs: 2, maxMs: 10 };
const WAIT = { timeout: 10_000, interval: 2 };
const client = createHttpClient({ maxConnections: 64 });

let folder = '';
const cleanups: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-spool-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup();
  }
  await rm(folder, { recursive: true });
});

/** A bucket that is away or there, and remembers keys in the order in which they were put. */
class Bucket {
  readonly keys: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  answer: (key: string) => TestAnswer | Promise<TestAnswer> = () => ({ status: 200 });
  #server: TestServer | undefined;

  async start(): Promise<this> {
    const server = await startTestServer(async ({ path }) => {
      const key = path.replace('/media/', '');
      this.inFlight += 1;
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
      const answer = await this.answer(key);
      this.inFlight -= 1;
      if (answer !== 'hang' && answer !== 'reset' && answer.status === 200) {
        this.keys.push(key);
      }
      return answer;
    });
    this.#server = server;
    cleanups.push(() => server.close());
    return this;
  }

  async writer(limits: Partial<ObjectWriterLimits> = {}): Promise<ObjectWriter> {
    const store = openObjectStore(
      {
        endpoint: this.#server?.url ?? new URL('http://127.0.0.1:1'),
        bucket: 'media',
        region: 'auto',
        accessKeyId: 'access',
        secretAccessKey: 'secret-access-key-of-the-test',
      },
      client.send,
    );
    const writer = await openObjectWriter({
      store,
      spoolFolder: folder,
      log: createLog({ level: 'silent', pretty: false, name: 'test' }),
      limits: { retry: QUICK, ...limits },
    });
    cleanups.push(() => writer.close(0));
    return writer;
  }
}

function write(writer: ObjectWriter, from: number, to: number, size = 10): void {
  for (let index = from; index < to; index += 1) {
    writer.write({ key: `live/cam/1/v/${index}.m4s`, bytes: new Uint8Array(size), contentType: 'video/mp4' });
  }
}

function keys(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => `live/cam/1/v/${from + index}.m4s`);
}

const AWAY: TestAnswer = { status: 503 };

describe('an object writer', () => {
  it('puts several objects at once, no more than its bound', async () => {
    const bucket = await new Bucket().start();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bucket.answer = () => gate.then(() => ({ status: 200 }));
    const writer = await bucket.writer({ concurrency: 3 });
    write(writer, 0, 8);
    await vi.waitFor(() => expect(bucket.inFlight).toBe(3), WAIT);
    release();
    expect(await writer.flush(10_000)).toBe(true);
    expect(bucket.mostInFlight).toBe(3);
    expect(writer.stats).toMatchObject({
      uploadedObjects: 8,
      uploadedBytes: 80,
      pendingObjects: 0,
      pendingBytes: 0,
      droppedObjects: 0,
    });
  });

  it('repeats what failed until it is there', async () => {
    const bucket = await new Bucket().start();
    const faults: TestAnswer[] = [{ status: 500 }, 'reset', { status: 403 }, { status: 404 }];
    bucket.answer = () => faults.shift() ?? { status: 200 };
    const writer = await bucket.writer();
    write(writer, 0, 5);
    expect(await writer.flush(10_000)).toBe(true);
    expect([...bucket.keys].sort()).toEqual(keys(0, 5));
    expect(writer.stats).toMatchObject({ uploadedObjects: 5, droppedObjects: 0, away: false });
  });

  it('keeps objects while storage is away and uploads them in order when it is back', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => AWAY;
    const writer = await bucket.writer({ memoryBytes: 20, concurrency: 1 });
    write(writer, 0, 6);
    await vi.waitFor(() => expect(writer.stats.away).toBe(true), WAIT);
    expect(writer.stats).toMatchObject({ spooledObjects: 4, spooledBytes: 40, pendingBytes: 20 });
    bucket.answer = () => ({ status: 200 });
    expect(await writer.flush(10_000)).toBe(true);
    expect(bucket.keys).toEqual(keys(0, 6));
    expect(writer.stats).toMatchObject({ spoolFileBytes: 0, pendingBytes: 0, away: false });
  });

  it('has an object on disk when it has taken it, and lets go of it once it is in storage', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => 'hang';
    const writer = await bucket.writer();
    write(writer, 0, 3);
    const { left } = await Spool.open(folder, 1000);
    expect(left.map(({ key }) => key)).toEqual(keys(0, 3));
  });

  it('finishes after a killed run what that left on disk, in order', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => AWAY;
    const first = await bucket.writer({ concurrency: 1 });
    write(first, 0, 4);
    bucket.answer = () => 'hang';
    const after = await new Bucket().start();
    const second = await after.writer({ concurrency: 1 });
    write(second, 4, 6);
    expect(await second.flush(10_000)).toBe(true);
    expect(after.keys).toEqual(keys(0, 6));
  });

  it('gives up the oldest objects when disk and memory are full, and counts them', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => AWAY;
    const writer = await bucket.writer({ memoryBytes: 20, spoolBytes: 400, concurrency: 1 });
    write(writer, 0, 20);
    await writer.close(0);
    const { droppedObjects, spooledObjects } = writer.stats;
    expect(droppedObjects).toBeGreaterThan(5);
    const { left } = await Spool.open(folder, 1000);
    expect(droppedObjects + left.length).toBe(20);
    expect(left.at(-1)?.key).toBe(keys(19, 20)[0]);
    expect(spooledObjects).toBeLessThanOrEqual(left.length);
  });

  it('bounds its memory even when the disk cannot be written', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => 'hang';
    const writer = await bucket.writer({ memoryBytes: 100, concurrency: 1 });
    await rm(folder, { recursive: true });
    write(writer, 0, 100);
    expect(writer.stats).toMatchObject({ pendingBytes: 100, droppedObjects: 90, unspooledObjects: 100 });
    expect(writer.stats.diskFault).toContain('ENOENT');
    await writer.close(0);
    await writeFile(folder, '');
  });

  it('uploads past a disk that is full', async () => {
    const bucket = await new Bucket().start();
    const writer = await bucket.writer({ spoolBytes: 1 });
    write(writer, 0, 10);
    expect(await writer.flush(10_000)).toBe(true);
    expect(writer.stats).toMatchObject({ uploadedObjects: 10, droppedObjects: 0, unspooledObjects: 10 });
  });

  it('gives up an object that storage refuses outright, so that the others go on', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = (key) => (key.endsWith('/1.m4s') ? { status: 400 } : { status: 200 });
    const writer = await bucket.writer({ concurrency: 1 });
    write(writer, 0, 3);
    expect(await writer.flush(10_000)).toBe(true);
    expect(bucket.keys).toEqual([...keys(0, 1), ...keys(2, 3)]);
    expect(writer.stats).toMatchObject({ droppedObjects: 1, droppedBytes: 10, failedRequests: 3 });
  });

  it('keeps on disk what could not be uploaded before it is closed, what was in flight included', async () => {
    const bucket = await new Bucket().start();
    bucket.answer = () => 'hang';
    const writer = await bucket.writer({ concurrency: 2 });
    write(writer, 0, 5);
    await writer.close(0);
    expect(writer.stats.droppedObjects).toBe(0);
    const { left } = await Spool.open(folder, 1000);
    expect(left.map(({ key }) => key)).toEqual(keys(0, 5));
  });
});
