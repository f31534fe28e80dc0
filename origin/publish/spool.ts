/**
 * Every object lies here from before it is announced until object storage has it: a log on local disk, appended at
 * once and without waiting, so that a killed origin loses nothing of what it told anyone. Files of some megabytes
 * that are removed, or emptied, as soon as all their objects are in storage: while storage keeps up, nothing of them
 * ever leaves the page cache.
 */

import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdir, open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { PREFIX_BYTES, readHeader, readPrefix, recordHead } from './spool-record.ts';

/** An object on its way to storage. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** An object that lies in the spool. */
export interface SpooledObject {
  readonly key: string;
  readonly contentType: string;
  readonly size: number;
  readonly file: SpoolFile;
  /** Where its payload begins. */
  readonly at: number;
  readonly checksum: number;
}

/** A file of the log. */
interface SpoolFile {
  readonly name: string;
  /** Objects that still wait for storage. */
  waiting: number;
  bytes: number;
}

/** What is on disk is not what was written there; the object cannot be had from here. */
class SpoolDamagedError extends Error {
  override readonly name = 'SpoolDamagedError';
  readonly code = 'spool-damaged';
}

/** A file is closed beyond this: small enough that its room is soon free again, large enough that files are few. */
const FILE_BYTES = 8 * 1024 * 1024;
/** Of a small spool, so that its oldest part can make room for the newest. */
const LEAST_FILES = 8;
const NUMBER_DIGITS = 15;
const FILE_NAME = /^[0-9]{15}\.log$/;

/** A folder of objects in the order of their writing, bounded in bytes. */
export class Spool {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #fileBytes: number;
  /** Oldest first; the last is the one that is written, where `#descriptor` is set. */
  #files: SpoolFile[] = [];
  #descriptor: number | undefined;
  #bytes = 0;
  #nextNumber = 0;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#fileBytes = Math.min(FILE_BYTES, Math.ceil(maxBytes / LEAST_FILES));
  }

  /** Opens the folder, made when absent, and finds what an earlier run left, oldest first. */
  static async open(
    folder: string,
    maxBytes: number,
  ): Promise<{ readonly spool: Spool; readonly left: readonly SpooledObject[] }> {
    const spool = new Spool(folder, maxBytes);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { spool, left: await spool.#load() };
  }

  /** Bytes on disk, those of objects included that are in storage already. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes an object; `undefined` when it does not fit or the disk is full. Throws on any other failure. */
  append(object: StoredObject): SpooledObject | undefined {
    const head = recordHead(object.key, object.contentType, object.bytes);
    const size = head.length + object.bytes.length;
    if (this.#bytes + size > this.#maxBytes) {
      return undefined;
    }
    const file = this.#fileFor(size);
    if (file === undefined) {
      return undefined;
    }
    const at = file.bytes;
    if (!this.#write(file, [head, object.bytes])) {
      return undefined;
    }
    file.waiting += 1;
    file.bytes += size;
    this.#bytes += size;
    const { key, contentType, bytes } = object;
    const checksum = new DataView(head.buffer).getUint32(PREFIX_BYTES - 4);
    return { key, contentType, size: bytes.length, file, at: at + head.length, checksum };
  }

  /** Reads an object's bytes. */
  async read({ file, at, size, checksum, key }: SpooledObject): Promise<Uint8Array> {
    const handle = await open(this.#path(file));
    try {
      const bytes = new Uint8Array(size);
      const { bytesRead } = await handle.read(bytes, 0, size, at);
      if (bytesRead !== size || crc32(bytes) !== checksum) {
        throw new SpoolDamagedError(`${this.#path(file)} does not hold what was written for ${key}`);
      }
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /** An object needs its place no longer. */
  settle({ file }: SpooledObject): void {
    file.waiting -= 1;
    if (file.waiting > 0) {
      return;
    }
    if (this.#descriptor !== undefined && file === this.#files.at(-1)) {
      ftruncateSync(this.#descriptor, 0);
      this.#bytes -= file.bytes;
      file.bytes = 0;
    } else {
      this.#remove(file);
    }
  }

  /** The file whose objects have to go first when there is no room; one that is written is closed for it. */
  oldestFile(): SpoolFile | undefined {
    const oldest = this.#files.find((file) => file.waiting > 0);
    if (oldest !== undefined && oldest === this.#files.at(-1)) {
      this.#closeCurrent();
    }
    return oldest;
  }

  /** Lets go of the file that is written; what waits stays on disk. */
  close(): void {
    const current = this.#descriptor === undefined ? undefined : this.#files.at(-1);
    this.#closeCurrent();
    if (current?.waiting === 0) {
      this.#remove(current);
    }
  }

  #fileFor(size: number): SpoolFile | undefined {
    const current = this.#files.at(-1);
    if (this.#descriptor !== undefined && current !== undefined) {
      if (current.bytes === 0 || current.bytes + size <= this.#fileBytes) {
        return current;
      }
      this.#closeCurrent();
    }
    const name = `${String(this.#nextNumber).padStart(NUMBER_DIGITS, '0')}.log`;
    const file = { name, waiting: 0, bytes: 0 };
    const descriptor = ifRoom(() => openSync(this.#path(file), 'wx', 0o600));
    if (descriptor === undefined) {
      return undefined;
    }
    this.#nextNumber += 1;
    this.#descriptor = descriptor;
    this.#files.push(file);
    return file;
  }

  /** False, and nothing written, when the disk is full. */
  #write(file: SpoolFile, pieces: readonly Uint8Array[]): boolean {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) {
      return false;
    }
    const written = ifRoom(() => {
      let at = file.bytes;
      for (const piece of pieces) {
        for (let from = 0; from < piece.length;) {
          const count = writeSync(descriptor, piece, from, piece.length - from, at);
          from += count;
          at += count;
        }
      }
      return true;
    });
    if (written === undefined) {
      ftruncateSync(descriptor, file.bytes);
    }
    return written === true;
  }

  #closeCurrent(): void {
    if (this.#descriptor !== undefined) {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }

  #remove(file: SpoolFile): void {
    this.#files = this.#files.filter((other) => other !== file);
    this.#bytes -= file.bytes;
    rmSync(this.#path(file), { force: true });
  }

  async #load(): Promise<readonly SpooledObject[]> {
    const left: SpooledObject[] = [];
    for (const name of (await readdir(this.#folder)).filter((one) => FILE_NAME.test(one)).sort()) {
      this.#nextNumber = Number.parseInt(name, 10) + 1;
      const file = { name, waiting: 0, bytes: 0 };
      const handle = await open(this.#path(file));
      try {
        left.push(...(await readFile(handle, file)));
      } finally {
        await handle.close();
      }
      this.#files.push(file);
      this.#bytes += file.bytes;
      if (file.waiting === 0) {
        this.#remove(file);
      }
    }
    return left;
  }

  #path(file: SpoolFile): string {
    return join(this.#folder, file.name);
  }
}

/** Lists a file's whole records; a record that a killed origin had not finished was never told to anyone. */
async function readFile(handle: FileHandle, file: SpoolFile): Promise<readonly SpooledObject[]> {
  const { size: fileSize } = await handle.stat();
  const found: SpooledObject[] = [];
  file.bytes = fileSize;
  for (let at = 0; ;) {
    const prefix = readPrefix(await readPiece(handle, at, PREFIX_BYTES));
    if (prefix === undefined) {
      return found;
    }
    const payloadAt = at + PREFIX_BYTES + prefix.headerLength;
    const header = readHeader(await readPiece(handle, at + PREFIX_BYTES, prefix.headerLength));
    if (header === undefined || payloadAt + prefix.payloadLength > fileSize) {
      return found;
    }
    const { payloadLength: size, checksum } = prefix;
    found.push({ ...header, size, file, at: payloadAt, checksum });
    file.waiting += 1;
    at = payloadAt + size;
  }
}

async function readPiece(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, at);
  return bytes.subarray(0, bytesRead);
}

/** What `write` gives, `undefined` when the disk or the quota is full. */
function ifRoom<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      return undefined;
    }
    throw error;
  }
}
