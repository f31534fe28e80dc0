/** An origin without an encoder: publishes parts of any bytes to a stream's hub, when it is told to. */

import { encodePublishFrames, type PublishFrame, type PublishUpdate } from '#shared/wire/publish.ts';

/** Where an edge takes what is published. */
export interface PublishTarget {
  readonly edgeUrl: string;
  readonly serviceToken: string;
  readonly stream: string;
  /** EXT-X-TARGETDURATION, seconds; 2, what the segments last, unless given. */
  readonly targetDuration?: number;
}

/** The one rendition that is published. */
export const RENDITION = '360p';
/** Half a second each. */
export const PARTS_PER_SEGMENT = 4;
const PART_SECONDS = 0.5;
const FIRST_INSTANT = 1_800_000_000_000;

/** Which part of which segment. */
export interface PartPosition {
  readonly msn: number;
  readonly part: number;
}

/** The part after another. */
export function partAfter({ msn, part }: PartPosition): PartPosition {
  return part + 1 < PARTS_PER_SEGMENT ? { msn, part: part + 1 } : { msn: msn + 1, part: 0 };
}

/** Publishes one rendition with segments of four parts. */
export class ScriptedOrigin {
  readonly epoch = 1_800_000_000;
  readonly #target: PublishTarget;
  /** Next number; 0 and 1 are the beginning. */
  #seq = 2;
  #parts = 0;

  constructor(target: PublishTarget) {
    this.#target = target;
  }

  /** Begins the stream. */
  async begin(): Promise<void> {
    const size = { width: 640, height: 360, frameRate: 30, bandwidth: 900_000 };
    await this.#publish([
      {
        kind: 'begin',
        seq: 0,
        firstMsn: 0,
        targetDuration: this.#target.targetDuration ?? 2,
        partTarget: PART_SECONDS,
        windowSegments: 10,
        renditions: [{ kind: 'video', name: RENDITION, codecs: 'avc1.42C01E', ...size }],
      },
      { kind: 'init', seq: 1, rendition: RENDITION },
    ]);
  }

  /** Publishes the next part and, with a segment's last, the segment; returns which it was. */
  async publishPart(bytes: Uint8Array<ArrayBuffer>): Promise<PartPosition> {
    const msn = Math.floor(this.#parts / PARTS_PER_SEGMENT);
    const part = this.#parts % PARTS_PER_SEGMENT;
    const programDateTime = FIRST_INSTANT + this.#parts * PART_SECONDS * 1000;
    const time = { duration: PART_SECONDS, independent: part === 0, programDateTime };
    this.#parts += 1;
    const seq = this.#seq;
    const updates: PublishUpdate[] = [{ kind: 'part', seq, rendition: RENDITION, msn, part, ...time }];
    if (part === PARTS_PER_SEGMENT - 1) {
      updates.push({ kind: 'segment', seq: seq + 1, rendition: RENDITION, msn, parts: PARTS_PER_SEGMENT });
    }
    this.#seq += updates.length;
    await this.#publish(updates, bytes);
    return { msn, part };
  }

  async #publish(updates: readonly PublishUpdate[], bytes = new Uint8Array([1])): Promise<void> {
    const frames: PublishFrame[] = updates.map((update) => {
      const hasPayload = update.kind === 'part' || update.kind === 'init';
      return { update, payload: hasPayload ? bytes : new Uint8Array() };
    });
    const body = encodePublishFrames(frames);
    const { edgeUrl, stream, serviceToken } = this.#target;
    const answer = await fetch(`${edgeUrl}/publish/${stream}/${this.epoch}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${serviceToken}` },
    });
    if (!answer.ok) {
      throw new Error(`publishing: ${answer.status} ${await answer.text()}`);
    }
    await answer.arrayBuffer();
  }
}
