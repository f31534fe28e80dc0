/** Program association and program map tables, ISO/IEC 13818-1 §2.4.4.3 and §2.4.4.8. */

import { identifyStream, type StreamKind } from './stream-type.ts';

/** An elementary stream as the program map table lists it. */
export interface ElementaryStream {
  readonly pid: number;
  readonly streamType: number;
  readonly kind: StreamKind;
  /** ISO 639-2, `undefined` where no descriptor says. */
  readonly language: string | undefined;
}

const PAT_TABLE_ID = 0x00;
const PMT_TABLE_ID = 0x02;
const PAT_HEADER_BYTES = 8;
const PAT_ENTRY_BYTES = 4;
const PMT_HEADER_BYTES = 12;
const PMT_ENTRY_BYTES = 5;
const LANGUAGE_DESCRIPTOR = 0x0a;

/** Reads the PMT's PID of the first program, or `undefined` where the section is no PAT or names none. */
export function parseProgramAssociation(section: Uint8Array): number | undefined {
  if (section[0] !== PAT_TABLE_ID || !isCurrent(section)) {
    return undefined;
  }
  for (let at = PAT_HEADER_BYTES; at + PAT_ENTRY_BYTES <= section.length; at += PAT_ENTRY_BYTES) {
    const programNumber = ((section[at] ?? 0) << 8) | (section[at + 1] ?? 0);
    if (programNumber !== 0) {
      return pidAt(section, at + 2);
    }
  }
  return undefined;
}

/** Reads a PMT's elementary streams, or `undefined` where the section is no PMT. */
export function parseProgramMap(section: Uint8Array): readonly ElementaryStream[] | undefined {
  if (section[0] !== PMT_TABLE_ID || !isCurrent(section) || section.length < PMT_HEADER_BYTES) {
    return undefined;
  }
  const streams: ElementaryStream[] = [];
  let at = PMT_HEADER_BYTES + lengthAt(section, 10);
  while (at + PMT_ENTRY_BYTES <= section.length) {
    const streamType = section[at] ?? 0;
    const end = at + PMT_ENTRY_BYTES + lengthAt(section, at + 3);
    const descriptors = section.subarray(at + PMT_ENTRY_BYTES, end);
    const kind = identifyStream(streamType, descriptors);
    streams.push({ pid: pidAt(section, at + 1), streamType, kind, language: readLanguage(descriptors) });
    at = end;
  }
  return streams;
}

/** The first language of an ISO_639_language_descriptor, ISO/IEC 13818-1 §2.6.18. */
function readLanguage(descriptors: Uint8Array): string | undefined {
  for (let at = 0; at + 5 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    if (descriptors[at] === LANGUAGE_DESCRIPTOR && (descriptors[at + 1] ?? 0) >= 3) {
      const code = String.fromCharCode(...descriptors.subarray(at + 2, at + 5));
      return /^[A-Za-z]{3}$/.test(code) ? code.toLowerCase() : undefined;
    }
  }
  return undefined;
}

function isCurrent(section: Uint8Array): boolean {
  return ((section[5] ?? 0) & 1) === 1;
}

function pidAt(section: Uint8Array, at: number): number {
  return (((section[at] ?? 0) & 0x1f) << 8) | (section[at + 1] ?? 0);
}

function lengthAt(section: Uint8Array, at: number): number {
  return (((section[at] ?? 0) & 0x0f) << 8) | (section[at + 1] ?? 0);
}
