/**
 * Publishes one epoch of one stream: everything goes to object storage and to the hub at once. To storage first, whose
 * writer has it on disk when it returns: what is announced survives the origin's death.
 */

import { objectKey, type MediaFile, type RenditionName, type StreamName } from '#shared/identifiers.ts';
import type { Epoch, MediaSequenceNumber, PartIndex, Seconds } from '#shared/media-time.ts';
import type { ClosedCaptionsDescription, RenditionDescription } from '#shared/wire/publish.ts';
import type { UnnumberedUpdate } from './send-window.ts';
import type { StoredObject } from './spool.ts';

/** What an epoch begins with. */
export interface EpochDescription {
  readonly firstMsn: MediaSequenceNumber;
  /** EXT-X-TARGETDURATION, whole seconds. */
  readonly targetDuration: number;
  readonly partTarget: Seconds;
  /** Segments that the playlist names. */
  readonly windowSegments: number;
  readonly renditions: readonly RenditionDescription[];
  /** Channels of closed captions, empty where there are none. */
  readonly closedCaptions?: readonly ClosedCaptionsDescription[];
  /** Names a variant of the audio alone beside those with pictures. */
  readonly audioOnlyVariant?: boolean;
}

/** A finished part. */
export interface PartDescription {
  readonly rendition: RenditionName;
  readonly msn: MediaSequenceNumber;
  readonly part: PartIndex;
  readonly duration: Seconds;
  readonly independent: boolean;
  /** Wall clock of the part's first sample, Unix milliseconds. */
  readonly programDateTime: number;
}

/** A segment that a rendition lacks. */
export interface GapDescription {
  readonly rendition: RenditionName;
  readonly msn: MediaSequenceNumber;
  readonly duration: Seconds;
  /** Wall clock of the segment's start, Unix milliseconds. */
  readonly programDateTime: number;
}

/** What a stream publisher is opened with. */
export interface StreamPublisherOptions {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  /** Towards the hub, such as a `HubPublisher`. */
  readonly hub: { publish(update: UnnumberedUpdate, payload: Uint8Array): void };
  /** Towards object storage, such as an `ObjectWriter`. */
  readonly objects: { write(object: StoredObject): void };
}

/** What a packager must not hand over; nothing was published. */
class StreamPublisherError extends Error {
  override readonly name = 'StreamPublisherError';
  readonly code: 'part-order' | 'segment-too-large';

  constructor(code: StreamPublisherError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const NOTHING = new Uint8Array();
/** ISO/IEC 14496-12 files and their pieces alike (rfc8216bis §3.1.2). */
const MEDIA_TYPE = 'video/mp4';
/** Most that the parts of one open segment may hold, bytes: ten seconds at 100 Mbit/s. */
const MAX_SEGMENT_BYTES = 128 * 1024 * 1024;

interface OpenSegment {
  readonly msn: MediaSequenceNumber;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Publishes one epoch; never waits, the queues behind it are bounded. */
export class StreamPublisher {
  readonly #options: StreamPublisherOptions;
  readonly #open = new Map<RenditionName, OpenSegment>();

  constructor(options: StreamPublisherOptions) {
    this.#options = options;
  }

  /** Announces the epoch; comes before everything else. */
  begin(description: EpochDescription): void {
    this.#options.hub.publish(
      {
        kind: 'begin',
        ...description,
        renditions: [...description.renditions],
        closedCaptions: description.closedCaptions && [...description.closedCaptions],
      },
      NOTHING,
    );
  }

  /** Publishes a rendition's init segment. */
  init(rendition: RenditionName, bytes: Uint8Array): void {
    this.#store(rendition, { kind: 'init', epoch: this.#options.epoch }, bytes);
    this.#options.hub.publish({ kind: 'init', rendition }, bytes);
  }

  /** Publishes a whole part; parts of a segment come in order from 0, else {@link StreamPublisherError}. */
  part(description: PartDescription, bytes: Uint8Array): void {
    const { rendition, msn, part } = description;
    const segment = this.#segmentOf(rendition, msn);
    if (Number(part) !== segment.parts.length) {
      throw new StreamPublisherError(
        'part-order',
        `${rendition}: part ${part} of msn ${msn} came after ${segment.parts.length} parts`,
      );
    }
    if (segment.bytes + bytes.length > MAX_SEGMENT_BYTES) {
      throw new StreamPublisherError(
        'segment-too-large',
        `${rendition}: msn ${msn} is over ${MAX_SEGMENT_BYTES} bytes: the source has too few key frames for a copy rung`,
      );
    }
    segment.parts.push(bytes);
    segment.bytes += bytes.length;
    this.#store(rendition, { kind: 'part', epoch: this.#options.epoch, msn, part }, bytes);
    this.#options.hub.publish({ kind: 'part', ...description }, bytes);
  }

  /** Completes a segment: its object holds exactly the bytes of its parts (rfc8216bis §4.4.4.9). */
  segment(rendition: RenditionName, msn: MediaSequenceNumber): void {
    const segment = this.#open.get(rendition);
    if (segment === undefined || segment.msn !== msn) {
      throw new StreamPublisherError(
        'part-order',
        `${rendition}: msn ${msn} is complete but none of its parts came`,
      );
    }
    this.#open.delete(rendition);
    this.#store(
      rendition,
      { kind: 'segment', epoch: this.#options.epoch, msn },
      Buffer.concat(segment.parts),
    );
    this.#options.hub.publish({ kind: 'segment', rendition, msn, parts: segment.parts.length }, NOTHING);
  }

  /** Tells that a rendition has nothing for a segment: EXT-X-GAP (rfc8216bis §4.4.4.7). */
  gap(gap: GapDescription): void {
    this.#options.hub.publish({ kind: 'gap', ...gap }, NOTHING);
  }

  /** Ends the stream: EXT-X-ENDLIST (rfc8216bis §4.4.3.4). */
  end(): void {
    this.#open.clear();
    this.#options.hub.publish({ kind: 'end' }, NOTHING);
  }

  #segmentOf(rendition: RenditionName, msn: MediaSequenceNumber): OpenSegment {
    const open = this.#open.get(rendition);
    if (open !== undefined && open.msn === msn) {
      return open;
    }
    if (open !== undefined) {
      throw new StreamPublisherError(
        'part-order',
        `${rendition}: msn ${msn} begins before msn ${open.msn} is complete`,
      );
    }
    const segment = { msn, parts: [], bytes: 0 };
    this.#open.set(rendition, segment);
    return segment;
  }

  #store(rendition: RenditionName, file: MediaFile, bytes: Uint8Array): void {
    const key = objectKey(this.#options.stream, rendition, file);
    this.#options.objects.write({ key, bytes, contentType: MEDIA_TYPE });
  }
}
