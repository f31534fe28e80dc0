/**
 * Loaded before everything else into the processes of an instance under test (`NODE_OPTIONS=--import`); only in the
 * origin it does something: it leads its requests over fault proxies and lets the test step its wall clock.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const POLL_MS = 50;

const folder = process.env['RILL_TEST_FAULTS'];
if (folder !== undefined && process.argv[1]?.endsWith('origin/main.ts') === true) {
  redirect(folder);
  stepClock(join(folder, 'clock-offset-ms'));
}

/** The addresses that it would have used stand in a file for the proxies. */
function redirect(into: string): void {
  const { RILL_EDGE_URL: edge = '', RILL_S3_ENDPOINT: storage = '' } = process.env;
  writeFileSync(join(into, 'targets.json'), JSON.stringify({ edge, storage }));
  const { RILL_TEST_EDGE: edgeProxy = edge, RILL_TEST_STORAGE: storageProxy } = process.env;
  process.env['RILL_EDGE_URL'] = edgeProxy;
  if (storageProxy !== undefined) {
    process.env['RILL_S3_ENDPOINT'] = storageProxy + new URL(storage).pathname;
  }
}

function stepClock(file: string): void {
  let offset = 0;
  const RealDate = Date;
  const now = (): number => RealDate.now() + offset;
  setInterval(() => {
    try {
      offset = Number(readFileSync(file, 'utf8'));
    } catch {
      offset = 0;
    }
  }, POLL_MS).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[]) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args) as object,
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
}
