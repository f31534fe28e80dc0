/** Encodes AMF0. */

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
  AMF_UNDEFINED,
  type AmfObject,
  type AmfValue,
} from './amf0.ts';

const MAX_SHORT_STRING_BYTES = 0xffff;

/** Encodes values one after the other, as a command or data message holds them; names are at most 65,535 bytes. */
export function encodeAmf0(values: readonly AmfValue[]): Uint8Array {
  return Buffer.concat(values.flatMap(encodeValue));
}

function encodeValue(value: AmfValue): Uint8Array[] {
  if (typeof value === 'number') {
    return [Uint8Array.of(AMF_NUMBER), double(value)];
  }
  if (typeof value === 'boolean') {
    return [Uint8Array.of(AMF_BOOLEAN, value ? 1 : 0)];
  }
  if (typeof value === 'string') {
    return encodeString(value);
  }
  if (value === undefined) {
    return [Uint8Array.of(AMF_UNDEFINED)];
  }
  return value === null ? [Uint8Array.of(AMF_NULL)] : encodeComposite(value);
}

function encodeComposite(value: Extract<AmfValue, { readonly kind: string }>): Uint8Array[] {
  switch (value.kind) {
    case 'object':
      return [Uint8Array.of(AMF_OBJECT), ...encodeProperties(value)];
    case 'ecma-array':
      return [Uint8Array.of(AMF_ECMA_ARRAY), uint32(value.properties.size), ...encodeProperties(value)];
    case 'strict-array':
      return [
        Uint8Array.of(AMF_STRICT_ARRAY),
        uint32(value.values.length),
        ...value.values.flatMap(encodeValue),
      ];
    case 'date':
      return [Uint8Array.of(AMF_DATE), double(value.milliseconds), Uint8Array.of(0, 0)];
  }
}

function encodeProperties(value: AmfObject): Uint8Array[] {
  const pairs = [...value.properties].flatMap(([name, property]) => [
    ...shortString(Buffer.from(name)),
    ...encodeValue(property),
  ]);
  return [...pairs, Uint8Array.of(0, 0, AMF_OBJECT_END)];
}

function encodeString(value: string): Uint8Array[] {
  const bytes = Buffer.from(value);
  return bytes.length > MAX_SHORT_STRING_BYTES
    ? [Uint8Array.of(AMF_LONG_STRING), uint32(bytes.length), bytes]
    : [Uint8Array.of(AMF_STRING), ...shortString(bytes)];
}

function shortString(bytes: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes];
}

function double(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
