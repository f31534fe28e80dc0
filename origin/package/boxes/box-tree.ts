/** Walks the boxes inside a container box, ISO/IEC 14496-12 §4.2. */

import { Mp4FormatError } from '../mp4-format-error.ts';
import { BoxReader } from './box-reader.ts';
import { BOX_HEADER_BYTES } from './box-writer.ts';

/** A box found in its container; the bytes are views. */
export interface Box {
  readonly type: string;
  /** What follows size and type. */
  readonly content: Uint8Array;
  /** The whole box. */
  readonly bytes: Uint8Array;
}

/** Lists the boxes in a container's content; throws `Mp4FormatError` where one does not fit. */
export function childBoxes(container: string, content: Uint8Array): readonly Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (at + BOX_HEADER_BYTES <= content.length) {
    const header = new BoxReader(container, content.subarray(at));
    const size = header.u32();
    const type = header.fourCharacterCode();
    if (size < BOX_HEADER_BYTES || at + size > content.length) {
      throw new Mp4FormatError(
        container,
        `box "${printable(type)}" of ${size} bytes at offset ${at} does not fit`,
      );
    }
    const bytes = content.subarray(at, at + size);
    boxes.push({ type, bytes, content: bytes.subarray(BOX_HEADER_BYTES) });
    at += size;
  }
  return boxes;
}

/** Finds the first child of a type. */
export function findChild(container: Box, type: string): Box | undefined {
  return childBoxes(container.type, container.content).find((box) => box.type === type);
}

/** Finds the first child of a type; throws `Mp4FormatError` where it is missing. */
export function requireChild(container: Box, type: string): Box {
  const child = findChild(container, type);
  if (child === undefined) {
    throw new Mp4FormatError(container.type, `box "${type}" is missing`);
  }
  return child;
}

/** Renders a four-character code for a message, whatever its bytes. */
export function printable(type: string): string {
  return type.replaceAll(/[^ -~]/g, '?');
}
