import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { amfEcmaArray, amfObject, amfProperty, type AmfValue } from './amf0.ts';
import { decodeAmf0 } from './amf0-decode.ts';
import { encodeAmf0 } from './amf0-encode.ts';

function decode(hex: string): unknown {
  const result = decodeAmf0(Buffer.from(hex, 'hex'));
  return result.ok ? result.value : result.failure.reason;
}

const { value: anyValue } = fc.letrec<{ value: AmfValue; composite: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.constant(null),
    fc.constant(undefined),
    tie('composite'),
  ),
  composite: fc.oneof(
    fc.record({
      kind: fc.constantFrom('object' as const, 'ecma-array' as const),
      properties: fc.dictionary(fc.string(), tie('value')).map((record) => new Map(Object.entries(record))),
    }),
    fc.record({ kind: fc.constant('strict-array' as const), values: fc.array(tie('value')) }),
    fc.record({ kind: fc.constant('date' as const), milliseconds: fc.double() }),
  ),
}));

test('values have the bytes of the specification', () => {
  const values = ['a', 1, true, null, undefined, amfObject({ b: 'c' }), amfEcmaArray({ d: false })];
  expect(Buffer.from(encodeAmf0(values)).toString('hex')).toBe(
    '02000161003ff000000000000001010506030001620200016300000908000000010001640100000009',
  );
});

test('a string longer than 65,535 bytes becomes a long string', () => {
  const bytes = encodeAmf0(['x'.repeat(65_536)]);
  expect(Buffer.from(bytes.subarray(0, 5)).toString('hex')).toBe('0c00010000');
  expect(decodeAmf0(bytes)).toEqual({ ok: true, value: ['x'.repeat(65_536)] });
});

test('decoding undoes encoding', () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 5 }), (values) => {
      expect(decodeAmf0(encodeAmf0(values))).toEqual({ ok: true, value: values });
    }),
    { numRuns: 100 },
  );
});

test('any bytes decode to values or to a named failure', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const result = decodeAmf0(bytes);
      expect(result.ok || result.failure.reason === 'malformed-amf0').toBe(true);
    }),
  );
});

test('announced lengths and counts beyond the message are refused', () => {
  expect(decode('02ffff61')).toBe('malformed-amf0');
  expect(decode('0cffffffff61')).toBe('malformed-amf0');
  expect(decode('0affffffff05')).toBe('malformed-amf0');
  expect(decode('00')).toBe('malformed-amf0');
});

test('nesting and number of values are bounded', () => {
  expect(decode('0a00000001'.repeat(1000) + '05')).toBe('malformed-amf0');
  expect(decode('05'.repeat(5000))).toBe('malformed-amf0');
});

test('an ECMA array may announce a wrong count and leave out its end marker', () => {
  const withoutEnd = decodeAmf0(Buffer.from('08000000630001610101', 'hex'));
  expect(withoutEnd.ok && amfProperty(withoutEnd.value[0], 'a')).toBe(true);
});

test('a property named __proto__ is a property like any other', () => {
  const name = Buffer.from('__proto__').toString('hex');
  const result = decodeAmf0(Buffer.from(`030009${name}0101000009`, 'hex'));
  expect(result.ok && amfProperty(result.value[0], '__proto__')).toBe(true);
  expect(amfProperty(amfObject({}), 'toString')).toBeUndefined();
});
