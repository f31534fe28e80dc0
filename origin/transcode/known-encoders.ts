/** Which encoders work for the ladders in force: those of the configuration file and those declared since. */

import type { Log } from '../log.ts';
import { setUpEncoders } from './encoder-setup.ts';
import { eitherTable, SOFTWARE_ONLY, type EncoderTable } from './encoder-table.ts';
import type { Ladder } from './ladder.ts';

/** What is known of encoders; nothing is tried twice for the same file or declaration. */
export class KnownEncoders {
  readonly #ffmpegPath: string;
  readonly #log: Log;
  #ofFile: EncoderTable;
  #checked: EncoderTable;
  #ofDeclared: EncoderTable = SOFTWARE_ONLY;

  /** Begins with what was found for the configuration file. */
  constructor(ffmpegPath: string, log: Log, ofFile: EncoderTable) {
    this.#ffmpegPath = ffmpegPath;
    this.#log = log;
    this.#ofFile = ofFile;
    this.#checked = ofFile;
  }

  /** What streams that start now use. */
  get table(): EncoderTable {
    return eitherTable(this.#ofFile, this.#ofDeclared);
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
    const tried = await setUpEncoders(this.#ffmpegPath, ladders, this.#log);
    if (!tried.ok) {
      return [tried.failure.detail];
    }
    this.#ofDeclared = eitherTable(this.#ofDeclared, tried.value);
    return [];
  }
}
