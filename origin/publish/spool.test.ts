import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHeader, readPrefix, recordHead, PREFIX_BYTES } from './spool-record.ts';
import { Spool, type SpooledObject, type StoredObject } from './spool.ts';

const MEBIBYTE = 1024 * 1024;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-spool-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function objectOf(index: number, size = 1000): StoredObject {
  return {
    key: `live/cam/1/v/${index}.m4s`,
    contentType: 'video/mp4',
    bytes: new Uint8Array(size).fill(index),
  };
}

function appendAll(spool: Spool, objects: readonly StoredObject[]): readonly SpooledObject[] {
  return objects.map((object) => {
    const spooled = spool.append(object);
    if (spooled === undefined) {
      throw new Error('no room');
    }
    return spooled;
  });
}

describe('a spool', () => {
  it('has what was appended after a process that never closed it, in order and byte for byte', async () => {
    const { spool } = await Spool.open(folder, 100 * MEBIBYTE);
    const objects = Array.from({ length: 20 }, (_, index) => objectOf(index, MEBIBYTE + index));
    appendAll(spool, objects);
    const { spool: next, left } = await Spool.open(folder, 100 * MEBIBYTE);
    expect(left.map(({ key }) => key)).toEqual(objects.map(({ key }) => key));
    for (const [index, spooled] of left.entries()) {
      expect(Buffer.compare(await next.read(spooled), objects[index]?.bytes ?? new Uint8Array())).toBe(0);
    }
    expect(await readdir(folder)).toHaveLength(3);
  });

  it('takes no room once everything is settled, and finds nothing after a restart', async () => {
    const { spool } = await Spool.open(folder, 100 * MEBIBYTE);
    const objects = Array.from({ length: 20 }, (_, index) => objectOf(index, MEBIBYTE));
    for (const spooled of appendAll(spool, objects)) {
      spool.settle(spooled);
    }
    expect(spool.bytes).toBe(0);
    expect((await Spool.open(folder, MEBIBYTE)).left).toEqual([]);
    spool.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves out a record that was not finished', async () => {
    const { spool } = await Spool.open(folder, MEBIBYTE);
    appendAll(spool, [objectOf(1), objectOf(2)]);
    const [name = ''] = await readdir(folder);
    const { size } = await stat(join(folder, name));
    await truncate(join(folder, name), size - 1);
    expect((await Spool.open(folder, MEBIBYTE)).left.map(({ key }) => key)).toEqual([objectOf(1).key]);
  });

  it('does not give out bytes that the disk has changed', async () => {
    const { spool } = await Spool.open(folder, MEBIBYTE);
    const [spooled] = appendAll(spool, [objectOf(1)]);
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), new Uint8Array(2000));
    await expect(async () => spooled && (await spool.read(spooled))).rejects.toThrow(
      /does not hold what was written/,
    );
  });

  it('refuses what is beyond its bound', async () => {
    const { spool } = await Spool.open(folder, 10_000);
    appendAll(
      spool,
      Array.from({ length: 9 }, (_, index) => objectOf(index)),
    );
    expect(spool.append(objectOf(9))).toBeUndefined();
  });
});

describe('a spool record', () => {
  it('reads back as what it was made from', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9/._-]{1,180}$/),
        fc.constantFrom('video/mp4', 'text/plain; charset=utf-8'),
        fc.uint8Array(),
        (key, contentType, payload) => {
          const head = recordHead(key, contentType, payload);
          const prefix = readPrefix(head);
          expect(prefix).toMatchObject({
            payloadLength: payload.length,
            headerLength: head.length - PREFIX_BYTES,
          });
          expect(readHeader(head.subarray(PREFIX_BYTES))).toEqual({ key, contentType });
        },
      ),
    );
  });

  it('is not found in anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 40 }), (bytes) => {
        expect(readPrefix(bytes)).toBeUndefined();
        expect(readHeader(bytes)).toBeUndefined();
      }),
    );
  });
});
