/** The values of AMF0, Action Message Format 0 (Adobe, 2007). */

/** A named list of values: an anonymous object (§2.5) or an ECMA array (§2.10). */
export interface AmfObject {
  readonly kind: 'object' | 'ecma-array';
  readonly properties: ReadonlyMap<string, AmfValue>;
}

/** A list of values, §2.12. */
interface AmfStrictArray {
  readonly kind: 'strict-array';
  readonly values: readonly AmfValue[];
}

/** A point in time, §2.13. */
interface AmfDate {
  readonly kind: 'date';
  /** Milliseconds since 1970-01-01 UTC. */
  readonly milliseconds: number;
}

/** Any value of AMF0. */
export type AmfValue = number | boolean | string | null | undefined | AmfObject | AmfStrictArray | AmfDate;

/** Type markers, §2.1. */
export const AMF_NUMBER = 0x00;
export const AMF_BOOLEAN = 0x01;
export const AMF_STRING = 0x02;
export const AMF_OBJECT = 0x03;
export const AMF_NULL = 0x05;
export const AMF_UNDEFINED = 0x06;
export const AMF_ECMA_ARRAY = 0x08;
export const AMF_OBJECT_END = 0x09;
export const AMF_STRICT_ARRAY = 0x0a;
export const AMF_DATE = 0x0b;
export const AMF_LONG_STRING = 0x0c;
export const AMF_UNSUPPORTED = 0x0d;
export const AMF_XML = 0x0f;
export const AMF_TYPED_OBJECT = 0x10;

/** Makes an anonymous object. */
export function amfObject(properties: Readonly<Record<string, AmfValue>>): AmfObject {
  return { kind: 'object', properties: new Map(Object.entries(properties)) };
}

/** Makes an ECMA array. */
export function amfEcmaArray(properties: Readonly<Record<string, AmfValue>>): AmfObject {
  return { kind: 'ecma-array', properties: new Map(Object.entries(properties)) };
}

/** Reads one property of an object or ECMA array; `undefined` where the value is none or has no such property. */
export function amfProperty(value: AmfValue, name: string): AmfValue {
  return isAmfObject(value) ? value.properties.get(name) : undefined;
}

/** Tells whether a value is an object or an ECMA array. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  return (
    typeof value === 'object' && value !== null && (value.kind === 'object' || value.kind === 'ecma-array')
  );
}
