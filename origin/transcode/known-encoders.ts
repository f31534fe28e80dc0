/** Which encoders work for the ladders in force: those of the configuration file and those declared since. */

import type { Log } from '../log.ts';
import { setUpEncoders, tableOf } from './encoder-setup.ts';
import { eitherTable, type EncoderTable } from './encoder-table.ts';
import type { Ladder } from './ladder.ts';

/** What is known of encoders; what has worked for one declaration is not tried for the next. */
export class KnownEncoders {
  readonly #ffmpegPath: string;
  readonly #log: Log;
  #ofFile: EncoderTable;
  #checked: EncoderTable;
  readonly #ofDeclared = new Set<string>();

  /** Begins with what was found for the configuration file. */
  constructor(ffmpegPath: string, log: Log, ofFile: EncoderTable) {
    this.#ffmpegPath = ffmpegPath;
    this.#log = log;
    this.#ofFile = ofFile;
    this.#checked = ofFile;
  }

  /** What streams that start now use. */
  get table(): EncoderTable {
    return eitherTable(this.#ofFile, tableOf(this.#ofDeclared));
  }

  /** Tries what the ladders of a new file need, a line for each mistake; it counts once it is taken over. */
  async check(ladders: readonly Ladder[]): Promise<readonly string[]> {
    const tried = await setUpEncoders(this.#ffmpegPath, ladders, this.#log);
    this.#checked = tried.ok ? tried.value : this.#checked;
    return tried.ok ? [] : [tried.failure.detail];
  }

  /** What was checked last is in force. */
  takeOver(): void {
    this.#ofFile = this.#checked;
  }

  /** Tries what declared ladders need, a line for each mistake; what works counts from now on. */
  async learn(ladders: readonly Ladder[]): Promise<readonly string[]> {
    const tried = await setUpEncoders(this.#ffmpegPath, ladders, this.#log, this.#ofDeclared);
    return tried.ok ? [] : [tried.failure.detail];
  }
}
