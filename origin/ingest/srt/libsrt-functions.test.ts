import { expect, test } from 'vitest';
import { loadLibSrtFunctions } from './libsrt-functions.ts';
import { SrtUnavailableError } from './srt-error.ts';

test('says in one line how to install libsrt where there is none', () => {
  const load = (): unknown => loadLibSrtFunctions(['libsrt-that-is-not-there.so.0']);
  expect(load).toThrow(SrtUnavailableError);
  expect(load).toThrow(/^SRT is off: [^\n]*apt install [^\n]*dnf install [^\n]*brew install [^\n]*$/);
});
