/** The environment file of origins that publish to a deployed edge: secrets, for `--env-file` of a container or systemd. */

import { open, readFile, rename } from 'node:fs/promises';
import type { Secrets } from '../secrets.ts';

const PRIVATE_FILE = 0o600;
/** What wrangler cannot make: an R2 API token's S3 keys, given in the environment or written into the file by hand. */
const S3_KEYS = ['RILL_S3_ACCESS_KEY_ID', 'RILL_S3_SECRET_ACCESS_KEY'] as const;
const LINE = /^([A-Z][A-Z0-9_]*)=(.*)$/gm;

/** What an origin is told of a deployment. */
export interface OriginEnvironment {
  readonly edgeUrl: string;
  readonly account: string;
  readonly bucket: string;
  readonly secrets: Pick<Secrets, 'serviceToken' | 'controlToken' | 'publishSecret'>;
  /** Variables that may hold the S3 keys: the process's own first, then those of the file as it was. */
  readonly known: Readonly<Record<string, string | undefined>>;
}

/** The file's text, and which of its variables are still empty. */
export function renderOriginEnvironment(origin: OriginEnvironment): {
  readonly text: string;
  readonly missing: readonly string[];
} {
  const missing = S3_KEYS.filter((name) => (origin.known[name] ?? '') === '');
  const lines = [
    `RILL_EDGE_URL=${origin.edgeUrl}`,
    `RILL_SERVICE_TOKEN=${origin.secrets.serviceToken}`,
    `RILL_CONTROL_TOKEN=${origin.secrets.controlToken}`,
    `RILL_PUBLISH_SECRET=${origin.secrets.publishSecret}`,
    `RILL_S3_ENDPOINT=https://${origin.account}.r2.cloudflarestorage.com`,
    `RILL_S3_BUCKET=${origin.bucket}`,
    'RILL_S3_REGION=auto',
    ...S3_KEYS.map((name) => `${name}=${origin.known[name] ?? ''}`),
  ];
  return { text: `${lines.join('\n')}\n`, missing };
}

/** Variables of a file as {@link renderOriginEnvironment} makes it; none where there is no file. */
export async function readEnvironmentFile(file: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return Object.fromEntries([...text.matchAll(LINE)].map(([, name = '', value = '']) => [name, value]));
}

/** Writes a file that its owner alone may read, whole or not at all. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}`;
  const handle = await open(beside, 'w', PRIVATE_FILE);
  try {
    await handle.chmod(PRIVATE_FILE);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}
