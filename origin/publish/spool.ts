/**
 * Objects on local disk that wait for object storage: one file each, named by order, size, content type and
 * key, so that a restarted origin finds them again by reading the folder.
 */

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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
  /** Position in the order of writing. */
  readonly order: number;
}

/** Digits of the order in a file name: as many as keep names sorted for ever. */
const ORDER_DIGITS = 15;
/** Files are written under this ending and renamed when whole. */
const UNFINISHED = '.unfinished';
const FILE_NAME = /^([0-9]{15})-([0-9]{1,12})-([A-Za-z0-9%._~!*'()-]+)@([A-Za-z0-9%._~!*'()-]+)$/;

/** Renders the file name of a spooled object. */
export function spoolFileName(entry: SpooledObject): string {
  const order = String(entry.order).padStart(ORDER_DIGITS, '0');
  return `${order}-${entry.size}-${encodeURIComponent(entry.contentType)}@${encodeURIComponent(entry.key)}`;
}

/** Reads a spool file's name; `undefined` for a file that is none. */
export function parseSpoolFileName(name: string): SpooledObject | undefined {
  const match = FILE_NAME.exec(name);
  if (match === null) {
    return undefined;
  }
  try {
    return {
      order: Number(match[1]),
      size: Number(match[2]),
      contentType: decodeURIComponent(match[3] ?? ''),
      key: decodeURIComponent(match[4] ?? ''),
    };
  } catch {
    return undefined;
  }
}

/** A folder of objects in order, bounded in bytes: the oldest make room. */
export class Spool {
  readonly #folder: string;
  readonly #maxBytes: number;
  #entries: SpooledObject[] = [];
  #bytes = 0;
  #next = 0;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Opens the folder, made when absent, and finds what an earlier run left. */
  static async open(folder: string, maxBytes: number): Promise<Spool> {
    const spool = new Spool(folder, maxBytes);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await spool.#load();
    return spool;
  }

  /** Objects in the spool. */
  get length(): number {
    return this.#entries.length;
  }

  /** Bytes in the spool. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Position for an object newer than all that this folder has held since it was opened. */
  get nextOrder(): number {
    return this.#next;
  }

  /** Position of the oldest object; `undefined` when there is none. */
  get oldestOrder(): number | undefined {
    return this.#entries[0]?.order;
  }

  /** Takes the oldest object out of the order, its file stays; `undefined` when there is none. */
  take(): SpooledObject | undefined {
    return this.#entries.shift();
  }

  /** Puts an object that was taken back to its place. */
  putBack(entry: SpooledObject): void {
    const at = this.#entries.findIndex((other) => other.order > entry.order);
    this.#entries.splice(at === -1 ? this.#entries.length : at, 0, entry);
  }

  /** Reads the bytes of an object; throws when its file is gone or shorter than it was. */
  async read(entry: SpooledObject): Promise<Uint8Array> {
    const bytes = await readFile(this.#path(entry));
    if (bytes.length !== entry.size) {
      throw new Error(`spool file of ${entry.key} holds ${bytes.length} of ${entry.size} bytes`);
    }
    return bytes;
  }

  /** Removes the file of an object that was taken. */
  async remove(entry: SpooledObject): Promise<void> {
    this.#bytes -= entry.size;
    await rm(this.#path(entry), { force: true });
  }

  /**
   * Writes an object to its place in the order, whole or not at all. Returns the objects that had to make room, the
   * object itself among them when it does not fit or the disk is full even so.
   */
  async add(
    object: StoredObject,
    order: number,
  ): Promise<readonly { readonly key: string; readonly size: number }[]> {
    const entry: SpooledObject = {
      key: object.key,
      contentType: object.contentType,
      size: object.bytes.length,
      order,
    };
    this.#next = Math.max(this.#next, order + 1);
    const dropped: SpooledObject[] = [];
    while (this.#entries.length > 0 && this.#bytes + entry.size > this.#maxBytes) {
      await this.#dropOldest(dropped);
    }
    if (this.#bytes + entry.size > this.#maxBytes) {
      return [...dropped, entry];
    }
    while (!(await this.#write(entry, object.bytes))) {
      if (this.#entries.length === 0) {
        return [...dropped, entry];
      }
      await this.#dropOldest(dropped);
    }
    this.putBack(entry);
    this.#bytes += entry.size;
    return dropped;
  }

  async #dropOldest(dropped: SpooledObject[]): Promise<void> {
    const oldest = this.#entries.shift();
    if (oldest !== undefined) {
      dropped.push(oldest);
      await this.remove(oldest);
    }
  }

  /** False when the disk is full; throws on any other failure. */
  async #write(entry: SpooledObject, bytes: Uint8Array): Promise<boolean> {
    const path = this.#path(entry);
    try {
      await writeFile(path + UNFINISHED, bytes, { mode: 0o600 });
      await rename(path + UNFINISHED, path);
      return true;
    } catch (error) {
      await rm(path + UNFINISHED, { force: true });
      if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
        return false;
      }
      throw error;
    }
  }

  async #load(): Promise<void> {
    for (const name of (await readdir(this.#folder)).sort()) {
      const entry = parseSpoolFileName(name);
      const path = join(this.#folder, name);
      if (name.endsWith(UNFINISHED)) {
        await rm(path, { force: true });
      } else if (entry !== undefined && (await stat(path)).size === entry.size) {
        this.#entries.push(entry);
        this.#bytes += entry.size;
        this.#next = Math.max(this.#next, entry.order + 1);
      }
    }
  }

  #path(entry: SpooledObject): string {
    return join(this.#folder, spoolFileName(entry));
  }
}
