/** `rill revoke` and `rill keys`. */

import { Argument, InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import type { Seconds } from '#shared/media-time.ts';
import { addAdminOptions, reachAdmin } from './admin-client.ts';
import { parseDuration } from './duration.ts';
import { readJsonFile } from './json-file.ts';
import { say } from './terminal.ts';

const KINDS = ['token', 'session', 'viewer'] as const;

const versionSchema = z.object({ version: z.int() });
const revokeSchema = z.object({
  for: z.custom<Seconds>((value) => typeof value === 'number').optional(),
  undo: z.boolean().default(false),
});
const keysSchema = z.object({
  keys: z.array(
    z.looseObject({
      id: z.string(),
      kind: z.string(),
      algorithm: z.string().optional(),
      algorithms: z.array(z.string()).optional(),
      issuer: z.string().optional(),
    }),
  ),
});

/** Adds `rill revoke`. */
export function addRevoke(program: Command): void {
  addAdminOptions(program.command('revoke'))
    .description('ends what a token, a session or a viewer may do, everywhere within ten seconds')
    .addArgument(new Argument('<kind>', 'what is revoked').choices(KINDS))
    .argument('<id>', 'the token\'s "jti", the session, or the viewer ("sub"), whose newer tokens hold again')
    .option(
      '--for <duration>',
      'how long it is kept; longer than the tokens live (default: 30d)',
      durationArgument,
    )
    .option('--undo', 'takes the revocation back')
    .action(async (kind: string, id: string, given: unknown) => {
      const options = revokeSchema.parse(given);
      const client = await reachAdmin(given);
      const until = options.for === undefined ? {} : { until: Math.floor(Date.now() / 1000) + options.for };
      const { version } = await client.ask(
        options.undo
          ? {
              method: 'DELETE',
              path: `/revocations/${kind}/${encodeURIComponent(id)}`,
              answer: versionSchema,
            }
          : { method: 'POST', path: '/revocations', answer: versionSchema, body: { kind, id, ...until } },
      );
      say(`version ${version} is in force; every edge has it within ten seconds`);
    });
}

/** Adds `rill keys`. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('keys that tokens are verified with');
  addAdminOptions(keys.command('list'))
    .description('all keys, without their secrets')
    .action(async (given: unknown) => {
      const client = await reachAdmin(given);
      const answer = await client.ask({ method: 'GET', path: '/keys', answer: keysSchema });
      const lines = answer.keys.map(({ id, kind, algorithm, algorithms, issuer }) =>
        [id, kind, algorithm ?? algorithms?.join(',') ?? '', issuer ?? ''].join('\t').trimEnd(),
      );
      say(lines.length === 0 ? 'no key beside RILL_PLAY_SECRET' : lines.join('\n'));
    });
  addAdminOptions(keys.command('add'))
    .description('adds a key, or a URL that lists keys; one of the same id is replaced')
    .argument('<file>', 'JSON as the administration takes it, see docs/geo-rules.md')
    .action(async (file: string, given: unknown) => {
      const body = await readJsonFile(file);
      const client = await reachAdmin(given);
      await client.ask({ method: 'POST', path: '/keys', answer: versionSchema, body });
      say('added');
    });
  addAdminOptions(keys.command('remove'))
    .description('removes a key; tokens under it end within ten seconds')
    .argument('<id>', "the key's id, or the URL of a list")
    .action(async (id: string, given: unknown) => {
      const client = await reachAdmin(given);
      await client.ask({ method: 'DELETE', path: `/keys/${encodeURIComponent(id)}`, answer: versionSchema });
      say('removed');
    });
}

function durationArgument(text: string): Seconds {
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`A duration is ${duration.failure.expected}.`);
  }
  return duration.value;
}
