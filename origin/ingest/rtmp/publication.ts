/** One admitted stream on one connection: tags in, a media feed out, with the clocks that end it. */

import type { Admission, FeedEnd, FeedEvent } from '../media-feed.ts';
import { SourceAssembler, type MediaTag } from '../flv/source-assembler.ts';
import type { StreamMetadata } from '../flv/stream-metadata.ts';
import { FeedQueue } from './feed-queue.ts';
import type { RtmpLimits } from './limits.ts';

/** What a publication needs of its connection. */
export interface PublicationOptions {
  readonly admission: Admission;
  /** The message stream the encoder publishes on. */
  readonly streamId: number;
  readonly remoteAddress: string;
  readonly limits: RtmpLimits;
  /** Called with true when the consumer is slow and the socket has to pause, with false when it may go on. */
  readonly onPause: (paused: boolean) => void;
  /** Called with what the log should say of the source. */
  readonly onNotice: (notice: string) => void;
  /** Called when the publication itself finds that it is over; the connection then calls {@link Publication.end}. */
  readonly onOver: (end: FeedEnd) => void;
}

/** Runs from `publish` to the end of the feed, and releases the admission then. */
export class Publication {
  readonly streamId: number;
  readonly #options: PublicationOptions;
  readonly #assembler = new SourceAssembler();
  readonly #queue: FeedQueue;
  readonly #stall: NodeJS.Timeout;
  readonly #noSource: NodeJS.Timeout;
  #decision: NodeJS.Timeout | undefined;
  #paused = false;
  #over = false;

  constructor(options: PublicationOptions) {
    const { limits, onOver } = options;
    this.#options = options;
    this.streamId = options.streamId;
    this.#queue = new FeedQueue({
      highBytes: limits.queueHighBytes,
      lowBytes: limits.queueLowBytes,
      onFull: () => this.#pause(true),
      onDrained: () => this.#pause(false),
      onAbandoned: () => onOver({ reason: 'closed', detail: 'nobody takes the feed any more' }),
    });
    this.#stall = setTimeout(() => this.#stalled(), limits.stallMs);
    this.#noSource = setTimeout(() => {
      const detail = `no sequence header within ${limits.firstSourceMs / 1000} s: send H.264 video and AAC audio`;
      onOver({ reason: 'rejected', detail });
    }, limits.firstSourceMs);
  }

  /** Hands the feed to the pipeline. */
  start(): void {
    const { admission, remoteAddress, onOver } = this.#options;
    admission.start({
      stream: admission.stream,
      protocol: 'rtmp',
      container: 'flv',
      remoteAddress,
      events: this.#queue.events,
      close: (detail) => onOver({ reason: 'closed', detail }),
    });
  }

  /** Takes the encoder's metadata. */
  takeMetadata(metadata: StreamMetadata): void {
    this.#deliver(this.#assembler.takeMetadata(metadata));
  }

  /** Takes one tag; may find that the publication is over. */
  takeTag(tag: MediaTag): void {
    if (this.#over) {
      return;
    }
    this.#stall.refresh();
    const result = this.#assembler.take(tag);
    if (!result.ok) {
      this.#options.onOver({ reason: 'rejected', detail: result.failure.detail });
      return;
    }
    const notice = this.#assembler.takeNotice();
    if (notice !== undefined) {
      this.#options.onNotice(notice);
    }
    this.#deliver(result.value);
  }

  /** Ends the feed and gives the name free; only the first call counts. */
  end(end: FeedEnd): void {
    if (this.#over) {
      return;
    }
    // A publication shorter than the wait for its tracks still is one.
    this.#deliver(this.#assembler.decide());
    this.#over = true;
    clearTimeout(this.#stall);
    clearTimeout(this.#noSource);
    clearTimeout(this.#decision);
    this.#queue.end(end);
    this.#options.admission.release();
  }

  #deliver(events: readonly FeedEvent[]): void {
    for (const event of events) {
      this.#queue.push(event);
    }
    if (this.#assembler.decided) {
      clearTimeout(this.#noSource);
      clearTimeout(this.#decision);
      return;
    }
    const wait = this.#assembler.decisionWait;
    if (wait !== undefined) {
      this.#decision ??= setTimeout(() => this.#deliver(this.#assembler.decide()), wait);
    }
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    if (this.#over) {
      return;
    }
    this.#stall.refresh();
    this.#options.onPause(paused);
  }

  #stalled(): void {
    const { limits, onOver } = this.#options;
    if (this.#paused) {
      // Nothing arrives because we do not read: that is our consumer's delay, not the encoder's.
      this.#stall.refresh();
      return;
    }
    onOver({ reason: 'stalled', afterSeconds: limits.stallMs / 1000 });
  }
}
