/** Decodes AMF0; every length is checked against what is there, and depth and number of values are bounded. */

import { fail, ok, type Result } from '#shared/result.ts';
import {
  AMF_BOOLEAN,
  AMF_DATE,
  AMF_ECMA_ARRAY,
  AMF_LONG_STRING,
  AMF_NULL,
  AMF_NUMBER,
  AMF_OBJECT,
  AMF_OBJECT_END,
  AMF_STRICT_ARRAY,
  AMF_STRING,
  AMF_TYPED_OBJECT,
  AMF_UNDEFINED,
  AMF_UNSUPPORTED,
  AMF_XML,
  type AmfValue,
} from './amf0.ts';

/** Why bytes are no AMF0. */
export type AmfFailure = { readonly reason: 'malformed-amf0'; readonly detail: string };

/** Nesting; the deepest that encoders send is three. */
const MAX_DEPTH = 16;
/** Values in one message; the longest onMetaData seen has about forty. */
const MAX_VALUES = 4096;

/** Decodes all values of a message. */
export function decodeAmf0(bytes: Uint8Array): Result<readonly AmfValue[], AmfFailure> {
  const decoder = new Decoder(bytes);
  const values: AmfValue[] = [];
  try {
    while (!decoder.atEnd) {
      values.push(decoder.value(0));
    }
    return ok(values);
  } catch (error) {
    if (error instanceof AmfError) {
      return fail({ reason: 'malformed-amf0', detail: error.message });
    }
    throw error;
  }
}

/** Carries a failure out of the recursion; never leaves this file. */
class AmfError extends Error {
  override readonly name = 'AmfError';
}

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder();
  #at = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): AmfValue {
    this.#count += 1;
    if (depth > MAX_DEPTH || this.#count > MAX_VALUES) {
      throw new AmfError(`more than ${MAX_VALUES} values or ${MAX_DEPTH} levels`);
    }
    const marker = this.#uint8();
    switch (marker) {
      case AMF_NUMBER:
        return this.#double();
      case AMF_BOOLEAN:
        return this.#uint8() !== 0;
      case AMF_STRING:
        return this.#string(this.#uint16());
      case AMF_LONG_STRING:
      case AMF_XML:
        return this.#string(this.#uint32());
      case AMF_NULL:
        return null;
      case AMF_UNDEFINED:
      case AMF_UNSUPPORTED:
        return undefined;
      default:
        return this.#composite(marker, depth);
    }
  }

  #composite(marker: number, depth: number): AmfValue {
    switch (marker) {
      case AMF_OBJECT:
        return { kind: 'object', properties: this.#properties(depth) };
      case AMF_TYPED_OBJECT:
        this.#string(this.#uint16());
        return { kind: 'object', properties: this.#properties(depth) };
      case AMF_ECMA_ARRAY:
        // §2.10: the count is a hint that encoders get wrong; the end marker decides.
        this.#uint32();
        return { kind: 'ecma-array', properties: this.#properties(depth) };
      case AMF_STRICT_ARRAY:
        return { kind: 'strict-array', values: this.#values(this.#uint32(), depth) };
      case AMF_DATE: {
        const milliseconds = this.#double();
        this.#uint16();
        return { kind: 'date', milliseconds };
      }
      default:
        throw new AmfError(`type marker 0x${marker.toString(16)}`);
    }
  }

  #properties(depth: number): ReadonlyMap<string, AmfValue> {
    const properties = new Map<string, AmfValue>();
    while (!this.atEnd) {
      const name = this.#string(this.#uint16());
      if (name === '' && this.#bytes[this.#at] === AMF_OBJECT_END) {
        this.#at += 1;
        return properties;
      }
      properties.set(name, this.value(depth + 1));
    }
    // Some encoders leave the end marker out when the message ends with it.
    return properties;
  }

  #values(count: number, depth: number): readonly AmfValue[] {
    const values: AmfValue[] = [];
    for (let index = 0; index < count; index += 1) {
      values.push(this.value(depth + 1));
    }
    return values;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) {
      throw new AmfError(`${count} bytes announced at ${at} of ${this.#bytes.length}`);
    }
    this.#at += count;
    return at;
  }

  #uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  #double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  #string(length: number): string {
    const at = this.#take(length);
    return this.#text.decode(this.#bytes.subarray(at, at + length));
  }
}
