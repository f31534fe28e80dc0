/** The streams that this origin has published: an empty file each, so that a restart, however hard, knows them. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';

/** Names in a folder. */
export class KnownStreams {
  readonly #folder: string;
  readonly #names: Set<StreamName>;

  /** Reads the folder, made when absent. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#names = new Set(
      readdirSync(folder).flatMap((name) => {
        const parsed = parseStreamName(name);
        return parsed.ok ? [parsed.value] : [];
      }),
    );
  }

  /** All of them. */
  get names(): readonly StreamName[] {
    return [...this.#names];
  }

  /** A stream is published; one that is known costs nothing. A disk that is full is asked again the next time. */
  add(stream: StreamName): void {
    if (this.#names.has(stream)) {
      return;
    }
    try {
      writeFileSync(join(this.#folder, stream), '', { mode: 0o600 });
      this.#names.add(stream);
    } catch {
      // Its objects are swept after the next publication that can be noted; the bucket's own rules are the safety net.
    }
  }

  /** Nothing of a stream is left in storage. */
  remove(stream: StreamName): void {
    this.#names.delete(stream);
    rmSync(join(this.#folder, stream), { force: true });
  }
}
