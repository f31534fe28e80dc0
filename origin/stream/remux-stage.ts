/** The stage of a feed that is passed on as it came. */

import { PassThrough } from 'node:stream';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import { FlvRemuxer, type RemuxedTrack } from '../remux/flv-remuxer.ts';
import type { MediaStage, StageEnd } from './media-stage.ts';

/** Input that waits for its reader, bytes: half a second at 4 Mbit/s, then the writer waits. */
const INPUT_BUFFER_BYTES = 256 * 1024;

/** Starts the stage; its tracks are those of the plan, IDs from 1 in its order. */
export function startRemux(tracks: readonly RemuxedTrack[]): MediaStage {
  return new RemuxStage(tracks);
}

class RemuxStage implements MediaStage {
  readonly events: AsyncIterable<readonly FragmentEvent[]>;
  readonly ended: Promise<StageEnd>;
  readonly #input = new PassThrough({ highWaterMark: INPUT_BUFFER_BYTES });
  readonly #remuxer: FlvRemuxer;
  #isKilled = false;

  constructor(tracks: readonly RemuxedTrack[]) {
    this.#remuxer = new FlvRemuxer(tracks);
    this.events = this.#read();
    const { promise, resolve } = Promise.withResolvers<StageEnd>();
    this.ended = promise;
    this.#input.once('close', () => resolve({ isStarted: true, detail: 'the feed was passed on' }));
  }

  write(bytes: Uint8Array): Promise<boolean> {
    if (!this.#input.writable) {
      return Promise.resolve(false);
    }
    if (this.#input.write(bytes)) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#input.off('drain', settle);
        this.#input.off('close', settle);
        resolve(this.#input.writable);
      };
      this.#input.once('drain', settle);
      this.#input.once('close', settle);
    });
  }

  end(): void {
    this.#input.end();
  }

  kill(): void {
    this.#isKilled = true;
    this.#input.destroy();
  }

  async *#read(): AsyncGenerator<readonly FragmentEvent[], void, undefined> {
    try {
      for await (const chunk of this.#input) {
        if (chunk instanceof Uint8Array) {
          yield this.#remuxer.push(chunk);
        }
      }
    } catch (error) {
      if (!this.#isKilled) {
        throw error;
      }
    }
    yield this.#remuxer.end();
  }
}
