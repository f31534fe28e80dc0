/** `npm run deploy`: from an account with nothing in it to a running edge, as often as one likes. */

import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { ensureSecrets } from '../secrets.ts';
import { CommandError, say } from '../terminal.ts';
import {
  deployWorker,
  ensureBucket,
  NEEDED_SECRETS,
  secretsOf,
  setLifecycle,
  storeSecrets,
} from './cloudflare.ts';
import { readEnvironmentFile, renderOriginEnvironment, writePrivateFile } from './origin-environment.ts';
import { findAccount } from './prerequisites.ts';
import { ENVIRONMENTS, readTarget, type Target } from './target.ts';
import { openWrangler, orFail, type Wrangler } from './wrangler.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** R2's hints of where a bucket is made. */
const LOCATIONS = ['weur', 'eeur', 'apac', 'wnam', 'enam', 'oc'];
/** Marks, in the folder of an environment, that the Worker has the secrets of that folder. */
const STORED = 'stored';

const optionsSchema = z.object({
  env: z.enum(ENVIRONMENTS),
  dryRun: z.boolean().default(false),
  domain: z.hostname().optional(),
  location: z.string().optional(),
  stateDir: z.string(),
});
type Options = z.infer<typeof optionsSchema>;

/** Makes the program. */
export function createDeployProgram(): Command {
  return new Command('deploy')
    .description(
      'Deploys the edge to Cloudflare: bucket, Worker, Durable Objects, secrets. Repeat it at will.',
    )
    .addOption(
      new Option('--env <name>', 'environment of wrangler.toml').choices(ENVIRONMENTS).default('production'),
    )
    .option('--dry-run', 'build and check only, without an account')
    .option('--domain <host>', "a host name of a zone in the account, in place of workers.dev's")
    .addOption(new Option('--location <hint>', 'where a new bucket is made').choices(LOCATIONS))
    .option('--state-dir <folder>', 'where the secrets of each environment are kept', '.rill/deploy')
    .action(async (given: unknown) => {
      const options = optionsSchema.parse(given);
      const target = readTarget(path.join(ROOT, 'wrangler.toml'), options.env);
      await (options.dryRun ? dryRun(target) : deploy(target, options));
    });
}

async function dryRun({ environment, worker, bucket }: Target): Promise<void> {
  const answer = await openWrangler(ROOT, {})(['deploy', '--env', environment, '--dry-run']);
  orFail(answer, `${worker} cannot be deployed as it is`, 'mend what wrangler names');
  say(`${worker} builds; a deployment would make or keep the bucket ${bucket}. Nothing was sent.`);
}

async function deploy(target: Target, options: Options): Promise<void> {
  const account = await findAccount(openWrangler(ROOT, {}), process.env['CLOUDFLARE_ACCOUNT_ID']);
  const wrangler = openWrangler(ROOT, { CLOUDFLARE_ACCOUNT_ID: account });
  say(`account    ${account}`);
  const isNew = await ensureBucket(wrangler, target, options.location);
  say(`bucket     ${target.bucket} ${isNew ? 'made' : 'is there'}`);
  await setLifecycle(wrangler, target);
  const edgeUrl = await deployWorker({ folder: ROOT, account, target, domain: options.domain });
  say(`worker     ${target.worker} deployed: ${edgeUrl}`);
  const folder = path.resolve(options.stateDir, target.environment);
  const secrets = await ensureWorkerSecrets(wrangler, target, folder);
  if (secrets === undefined) {
    say(
      `secrets    the Worker has its own, which are not on this machine: ${folder} came with its first deployment`,
    );
    return;
  }
  say('secrets    stored');
  const file = path.join(folder, 'origin.env');
  const known = { ...(await readEnvironmentFile(file)), ...s3Keys(process.env) };
  const { text, missing } = renderOriginEnvironment({
    edgeUrl,
    account,
    bucket: target.bucket,
    secrets,
    known,
  });
  await writePrivateFile(file, text);
  for (const line of nextSteps({ edgeUrl, folder, file, missing, bucket: target.bucket })) {
    say(line);
  }
}

/** The secrets of the environment, made once; `undefined` where the Worker has others, which nobody can read back. */
export async function ensureWorkerSecrets(
  wrangler: Wrangler,
  target: Target,
  folder: string,
): Promise<Awaited<ReturnType<typeof ensureSecrets>>['secrets'] | undefined> {
  const present = await secretsOf(wrangler, target);
  const isComplete = NEEDED_SECRETS.every((name) => present.includes(name));
  const isKnown = await exists(path.join(folder, 'secrets.json'));
  if (isComplete && !isKnown) {
    return undefined;
  }
  if (!isKnown && present.some((name) => NEEDED_SECRETS.some((needed) => needed === name))) {
    throw new CommandError(
      `${target.worker} has one of ${NEEDED_SECRETS.join(' and ')}, not both, and ${folder} has neither: ` +
        'delete that one with "npx wrangler secret delete", or bring the folder here',
    );
  }
  await mkdir(path.dirname(folder), { recursive: true, mode: 0o700 });
  const { secrets } = await ensureSecrets(folder);
  const marker = path.join(folder, STORED);
  if (!isComplete || !(await exists(marker))) {
    await storeSecrets(wrangler, target, secrets);
    await writeFile(marker, '');
  }
  return secrets;
}

function nextSteps(deployed: {
  readonly edgeUrl: string;
  readonly folder: string;
  readonly file: string;
  readonly missing: readonly string[];
  readonly bucket: string;
}): readonly string[] {
  const { edgeUrl, folder, file, missing, bucket } = deployed;
  const keys =
    missing.length === 0
      ? []
      : [
          `  - make an R2 API token "Object Read & Write" for ${bucket} alone (dashboard, R2, API tokens),`,
          `    and write its S3 keys into that file: ${missing.join(', ')}`,
        ];
  return [
    `origin     its environment is in ${file} (mode 0600)`,
    'next',
    ...keys,
    `  - start an origin: docker run --env-file ${file} … rill-origin (docs/containers.md)`,
    `  - npm run -s rill -- publish-url STREAM --data-dir ${folder} --host ORIGIN`,
    `  - npm run -s rill -- play-url STREAM --watch --data-dir ${folder} --edge ${edgeUrl}`,
    '  - more viewers than the free plan takes: Workers Paid (docs/deploy.md)',
  ];
}

/** The S3 keys of the process's environment that are set. */
function s3Keys(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('RILL_S3_') && value !== undefined && value !== '' ? [[name, value]] : [],
    ),
  );
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
