/** What the runtime takes before any of our code: a Worker in bare workerd that answers with a constant. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startPinned, untilAnswering, type PinnedProcess } from './pinned-process.ts';

const WORKERD = join(import.meta.dirname, '../../node_modules/.bin/workerd');

/** Starts it on one core with an answer of so many bytes. */
export async function startBareWorkerd(options: {
  readonly core: number;
  readonly folder: string;
  readonly bytes: number;
}): Promise<{ readonly process: PinnedProcess; readonly url: string }> {
  const { core, folder, bytes } = options;
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'constant.capnp');
  await writeFile(
    join(folder, 'constant.mjs'),
    `const body = new Uint8Array(${bytes}).fill(97);
     export default { fetch: () => new Response(body, { headers: { 'content-type': 'text/plain' } }) };`,
  );
  await writeFile(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [(name = "main", worker = (
         modules = [(name = "constant.mjs", esModule = embed "constant.mjs")],
         compatibilityDate = "2026-11-01"))],
       sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);`,
  );
  const process = startPinned(core, [WORKERD, 'serve', file]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url);
  return { process, url };
}
