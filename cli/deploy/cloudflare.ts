/** The steps of a deployment on Cloudflare. Each looks first or may be repeated, so that a run goes on where one failed. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Secrets } from '../secrets.ts';
import { CommandError } from '../terminal.ts';
import { parseJson } from './prerequisites.ts';
import type { Target } from './target.ts';
import { failedWith, openWrangler, orFail, type Wrangler } from './wrangler.ts';

/** Rules by which the bucket forgets what nobody removed: see docs/deploy.md. */
const LIFECYCLE = 'deploy/cloudflare/lifecycle.json';
/** Codes of Cloudflare's API. */
const BUCKET_EXISTS = 10_004;
const R2_NOT_ENABLED = 10_042;
const AGAIN = 'nothing is lost, run the command again when it is mended';

/** Makes the bucket where it is not there; tells whether it was made. */
export async function ensureBucket(
  wrangler: Wrangler,
  { bucket }: Target,
  location?: string,
): Promise<boolean> {
  const hint = location === undefined ? [] : ['--location', location];
  const answer = await wrangler(['r2', 'bucket', 'create', bucket, ...hint]);
  if (failedWith(answer, BUCKET_EXISTS)) {
    return false;
  }
  if (failedWith(answer, R2_NOT_ENABLED)) {
    throw new CommandError(
      'this account has no R2: enable it in the dashboard ("R2 Object Storage"; it asks for a way of payment), then run the command again',
    );
  }
  orFail(answer, `the bucket ${bucket} was not made`, AGAIN);
  return true;
}

/** Gives the bucket its lifecycle rules in place of those that it had. */
export async function setLifecycle(wrangler: Wrangler, { bucket }: Target): Promise<void> {
  const answer = await wrangler(['r2', 'bucket', 'lifecycle', 'set', bucket, '--file', LIFECYCLE, '--force']);
  orFail(answer, `the lifecycle rules of ${bucket} were not set`, AGAIN);
}

/** Deploys the Worker, its Durable Objects and its pages; gives the address that viewers and origins use. */
export async function deployWorker(input: {
  readonly folder: string;
  readonly account: string;
  readonly target: Target;
  /** Custom domain; the address under workers.dev without. */
  readonly domain: string | undefined;
}): Promise<string> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'rill-deploy-'));
  const output = path.join(scratch, 'wrangler.ndjson');
  try {
    const wrangler = openWrangler(input.folder, {
      CLOUDFLARE_ACCOUNT_ID: input.account,
      WRANGLER_OUTPUT_FILE_PATH: output,
    });
    const domain = input.domain === undefined ? [] : ['--domain', input.domain];
    const answer = await wrangler(['deploy', '--env', input.target.environment, ...domain]);
    orFail(answer, `${input.target.worker} was not deployed`, AGAIN);
    return addressOf(await readFile(output, 'utf8'), input.domain);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const deployedSchema = z.object({ type: z.literal('deploy'), targets: z.array(z.string()).optional() });

/** The Worker's address out of wrangler's record of the deployment. */
export function addressOf(record: string, domain: string | undefined): string {
  const deployed = record.split('\n').flatMap((line) => deployedSchema.safeParse(parseJson(line)).data ?? []);
  const targets = deployed.flatMap(({ targets: named = [] }) => named);
  const hosts = targets.flatMap(
    (target) => /^(?:https:\/\/)?([a-z0-9.-]+\.[a-z0-9-]+)/i.exec(target)?.[1] ?? [],
  );
  const host = domain ?? hosts.find((one) => !one.endsWith('.workers.dev')) ?? hosts[0];
  if (host === undefined) {
    throw new CommandError(
      'the Worker has no address: give it a domain with --domain, or a workers.dev subdomain in the dashboard',
    );
  }
  return `https://${host}`;
}

/** Names of the secrets that the Worker has; none where there is no such Worker. */
export async function secretsOf(wrangler: Wrangler, { environment }: Target): Promise<readonly string[]> {
  const answer = await wrangler(['secret', 'list', '--env', environment]);
  if (!answer.ok && /\bnot found\b/.test(`${answer.stdout}${answer.stderr}`)) {
    return [];
  }
  const stdout = orFail(answer, "the Worker's secrets could not be listed", AGAIN);
  return secretListSchema.parse(parseJson(stdout)).map(({ name }) => name);
}

const secretListSchema = z.array(z.object({ name: z.string() }));

/** Gives the Worker its secrets; they travel through standard input, so that no process list shows them. */
export async function storeSecrets(
  wrangler: Wrangler,
  { environment, worker }: Target,
  secrets: Pick<Secrets, 'playSecret' | 'serviceToken'>,
): Promise<void> {
  const bulk = { RILL_PLAY_SECRET: secrets.playSecret, RILL_SERVICE_TOKEN: secrets.serviceToken };
  const answer = await wrangler(['secret', 'bulk', '--env', environment], JSON.stringify(bulk));
  orFail(answer, `the secrets of ${worker} were not stored`, AGAIN);
}

/** Secrets that the Worker cannot do without. */
export const NEEDED_SECRETS = ['RILL_PLAY_SECRET', 'RILL_SERVICE_TOKEN'] as const;
