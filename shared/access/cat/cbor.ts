/** Bounded reading of CBOR (RFC 8949): size, depth and count are known before anything is made of the bytes. */

import { decode } from 'cborg';
import { fail, ok, type Result } from '../../result.ts';

/** A tagged value. */
export class Tagged {
  readonly tag: number;
  readonly value: unknown;

  /** Puts `tag` around `value`. */
  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

/** Why bytes are no CBOR that is read here. */
type CborFailure = { readonly reason: 'not-cbor'; readonly detail: string };

/** Levels of arrays, maps and tags: COSE in CWT tags needs three, `catif` in claims four. */
const MAX_DEPTH = 8;
/** Items in all, keys and values counted each. */
const MAX_ITEMS = 1024;

/** CWT (RFC 8392 §6), COSE_Mac0 and COSE_Sign1 (RFC 9052 §2), IP addresses (RFC 9164 §5). */
const TAGS: readonly number[] = [61, 17, 18, 52, 54];
const OPTIONS = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  // @eyevinn/cat writes it in place of a key that an action has not.
  allowUndefined: true,
  allowInfinity: false,
  allowNaN: false,
  tags: Object.fromEntries(TAGS.map((tag) => [tag, (content: () => unknown) => new Tagged(tag, content())])),
};

/** Reads one item that fills the bytes; maps become `Map`, byte strings `Uint8Array`. */
export function readCbor(bytes: Uint8Array): Result<unknown, CborFailure> {
  const wrong = scan(bytes);
  if (wrong !== undefined) {
    return fail({ reason: 'not-cbor', detail: wrong });
  }
  try {
    const value: unknown = decode(bytes, OPTIONS);
    return ok(value);
  } catch {
    return fail({ reason: 'not-cbor', detail: 'not CBOR of the kinds that tokens have' });
  }
}

/** Walks over the heads of all items without recursion and tells what is beyond a bound. */
function scan(bytes: Uint8Array): string | undefined {
  /** Items still to come in each level that is open. */
  const open = [1];
  let at = 0;
  for (let items = 0; open.length > 0; items++) {
    const head = readHead(bytes, at);
    if (head === undefined) {
      return 'cut off, or of indefinite length';
    }
    if (items >= MAX_ITEMS || head.children > MAX_ITEMS) {
      return `more than ${MAX_ITEMS} items`;
    }
    at = head.next;
    open.push(head.children);
    if (head.children > 0 && open.length > MAX_DEPTH + 1) {
      return `deeper than ${MAX_DEPTH} levels`;
    }
    closeFull(open);
  }
  return at === bytes.length ? undefined : 'bytes after the end';
}

/** Closes the levels that are complete, and counts each as one item of the level around it. */
function closeFull(open: number[]): void {
  while (open.at(-1) === 0) {
    open.pop();
    const around = open.pop();
    if (around !== undefined) {
      open.push(around - 1);
    }
  }
}

/** Reads an item's head (RFC 8949 §3): where the next one begins, and how many items are inside of this one. */
function readHead(
  bytes: Uint8Array,
  at: number,
): { readonly next: number; readonly children: number } | undefined {
  const first = bytes[at];
  if (first === undefined) {
    return undefined;
  }
  const argument = readArgument(bytes, at + 1, first & 31);
  if (argument === undefined) {
    return undefined;
  }
  const { value, next } = argument;
  switch (first >> 5) {
    case 2:
    case 3:
      return next + value <= bytes.length ? { next: next + value, children: 0 } : undefined;
    case 4:
      return { next, children: value };
    case 5:
      return { next, children: 2 * value };
    case 6:
      return { next, children: 1 };
    default:
      return { next, children: 0 };
  }
}

function readArgument(
  bytes: Uint8Array,
  at: number,
  short: number,
): { readonly value: number; readonly next: number } | undefined {
  if (short < 24) {
    return { value: short, next: at };
  }
  const length = short <= 27 ? 2 ** (short - 24) : Number.POSITIVE_INFINITY;
  if (at + length > bytes.length) {
    return undefined;
  }
  let value = 0;
  for (let index = at; index < at + length; index++) {
    value = value * 256 + (bytes[index] ?? 0);
  }
  return { value, next: at + length };
}
