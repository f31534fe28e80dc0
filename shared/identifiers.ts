/** Names of streams and renditions, and the file names and object keys made of them. */

import { fail, ok, type Result } from './result.ts';
import {
  epoch,
  mediaSequenceNumber,
  partIndex,
  type Epoch,
  type MediaSequenceNumber,
  type PartIndex,
} from './media-time.ts';

declare const brand: unique symbol;

/** A stream's name: `[a-z0-9][a-z0-9_-]{0,63}`. */
export type StreamName = string & { readonly [brand]: 'StreamName' };
/** A rendition's name, of the same form as a stream's. */
export type RenditionName = string & { readonly [brand]: 'RenditionName' };

/** Why a text is no name. */
export type NameFailure = { readonly reason: 'invalid-name'; readonly expected: string };

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const NAME_RULE = 'a to z, 0 to 9, "-" and "_", at most 64 characters, not starting with "-" or "_"';

/** Reads a stream's name; the failure states the rule and not the text, which may be hostile. */
export function parseStreamName(text: string): Result<StreamName, NameFailure> {
  return NAME.test(text) ? ok(text as StreamName) : fail({ reason: 'invalid-name', expected: NAME_RULE });
}

/** Reads a rendition's name. */
export function parseRenditionName(text: string): Result<RenditionName, NameFailure> {
  return NAME.test(text) ? ok(text as RenditionName) : fail({ reason: 'invalid-name', expected: NAME_RULE });
}

/** What a media file beside a media playlist is. */
export type MediaFile =
  | { readonly kind: 'init'; readonly epoch: Epoch }
  | { readonly kind: 'segment'; readonly epoch: Epoch; readonly msn: MediaSequenceNumber }
  | {
      readonly kind: 'part';
      readonly epoch: Epoch;
      readonly msn: MediaSequenceNumber;
      readonly part: PartIndex;
    };

/** Renders the file name under which a player fetches a media file, next to its media playlist. */
export function mediaFileName(file: MediaFile): string {
  switch (file.kind) {
    case 'init':
      return `${file.epoch}-init.mp4`;
    case 'segment':
      return `${file.epoch}-${file.msn}.m4s`;
    case 'part':
      return `${file.epoch}-${file.msn}.${file.part}.m4s`;
  }
}

const INTEGER = '(0|[1-9][0-9]{0,14})';
const INIT_FILE = new RegExp(`^${INTEGER}-init\\.mp4$`);
const SEGMENT_FILE = new RegExp(`^${INTEGER}-${INTEGER}\\.m4s$`);
const PART_FILE = new RegExp(`^${INTEGER}-${INTEGER}\\.${INTEGER}\\.m4s$`);

/** Reads a media file name, or `undefined` where the text is none: only canonical decimal is accepted. */
export function parseMediaFileName(text: string): MediaFile | undefined {
  const part = PART_FILE.exec(text);
  if (part !== null) {
    return {
      kind: 'part',
      epoch: epoch(Number(part[1])),
      msn: mediaSequenceNumber(Number(part[2])),
      part: partIndex(Number(part[3])),
    };
  }
  const segment = SEGMENT_FILE.exec(text);
  if (segment !== null) {
    return {
      kind: 'segment',
      epoch: epoch(Number(segment[1])),
      msn: mediaSequenceNumber(Number(segment[2])),
    };
  }
  const init = INIT_FILE.exec(text);
  return init === null ? undefined : { kind: 'init', epoch: epoch(Number(init[1])) };
}

/** Where a media file lies in object storage. */
export function objectKey(stream: StreamName, rendition: RenditionName, file: MediaFile): string {
  const folder = `live/${stream}/${file.epoch}/${rendition}`;
  switch (file.kind) {
    case 'init':
      return `${folder}/init.mp4`;
    case 'segment':
      return `${folder}/${file.msn}.m4s`;
    case 'part':
      return `${folder}/${file.msn}.${file.part}.m4s`;
  }
}
