/** Reads a stream's listing, object after object, and says what may go: memory for one segment, whatever its length. */

import type { ListedObject } from '../object-cleaner.ts';
import { decideSegment, mayDropInit, type RetentionState, type StoredSegment } from './decide.ts';

const KEY = /^live\/[a-z0-9][a-z0-9_-]{0,63}\/([0-9]{1,15})\/([a-z0-9][a-z0-9_-]{0,63})\/([0-9a-z.]{1,60})$/;
const MEDIA_FILE = /^([0-9]{1,15})(\.[0-9]{1,15})?\.m4s$/;

interface Group extends StoredSegment {
  readonly folder: string;
  readonly parts: ListedObject[];
  whole: ListedObject | undefined;
}

type Init = ListedObject & { readonly epoch: number };

/** The plan of one sweep of one stream. Objects of other forms are left alone. */
export class SweepPlan {
  #group: Group | undefined;
  /** Init segments by folder; as many as epochs times renditions. */
  readonly #inits = new Map<string, Init>();
  /** Media objects that stay, by folder. */
  readonly #remaining = new Map<string, number>();
  #seen = 0;

  /** Objects of the stream that were listed. */
  get seen(): number {
    return this.#seen;
  }

  /** Takes the next object of the listing; returns the keys that may go by now. */
  take(object: ListedObject, state: RetentionState): readonly string[] {
    const [, epochText, rendition = '', file = ''] = KEY.exec(object.key) ?? [];
    this.#seen += 1;
    if (epochText === undefined) {
      return [];
    }
    const epoch = Number(epochText);
    const folder = `${epochText}/${rendition}`;
    if (file === 'init.mp4') {
      this.#inits.set(folder, { ...object, epoch });
      return [];
    }
    const [, msnText, part] = MEDIA_FILE.exec(file) ?? [];
    if (msnText === undefined) {
      this.#count(folder, 1);
      return [];
    }
    const msn = Number(msnText);
    const isSame = this.#group?.folder === folder && this.#group.msn === msn;
    const keys = isSame ? [] : this.#finishGroup(state);
    this.#group ??= { folder, epoch, msn, parts: [], whole: undefined };
    if (part === undefined) {
      this.#group.whole = object;
    } else {
      this.#group.parts.push(object);
    }
    return keys;
  }

  /** The listing is complete: the keys that may go after all that {@link take} returned. */
  end(state: RetentionState): readonly string[] {
    const last = this.#finishGroup(state);
    const inits = [...this.#inits].filter(([folder, init]) =>
      mayDropInit(init, this.#remaining.get(folder) ?? 0, state),
    );
    return [...last, ...inits.map(([, { key }]) => key)];
  }

  #finishGroup(state: RetentionState): readonly string[] {
    const group = this.#group;
    this.#group = undefined;
    if (group === undefined) {
      return [];
    }
    const keys = decideSegment(group, state);
    this.#count(group.folder, group.parts.length + (group.whole === undefined ? 0 : 1) - keys.length);
    return keys;
  }

  #count(folder: string, stay: number): void {
    this.#remaining.set(folder, (this.#remaining.get(folder) ?? 0) + stay);
  }
}
