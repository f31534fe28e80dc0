/** `rill policy`: policies as code in a JSON file. */

import type { Command } from 'commander';
import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import type { AccessPolicies, PolicyDecision } from '#shared/access/policy.ts';
import { accessPoliciesSchema } from '#shared/access/policy-schema.ts';
import { addAdminOptions, reachAdmin, type AdminClient } from './admin-client.ts';
import { streamArgument } from './instance-options.ts';
import { readJsonFile } from './json-file.ts';
import { diffPolicies } from './policy-diff.ts';
import { CommandError, say } from './terminal.ts';

const policiesSchema = z.object({ version: z.int(), policies: accessPoliciesSchema });
const versionSchema = z.object({ version: z.int() });
const decisionSchema: z.ZodType<PolicyDecision> = z.union([
  z.object({ kind: z.literal('deny'), rule: z.string() }),
  z
    .object({ kind: z.literal('allow'), maxHeight: z.int().optional() })
    .transform(({ kind, maxHeight }) => ({ kind, maxHeight })),
]);
const placeSchema = z.object({
  country: z.string().optional(),
  continent: z.string().optional(),
  region: z.string().optional(),
  asn: z.coerce.number().int().optional(),
  address: z.string().optional(),
  at: z.string().optional(),
});

/** Adds the commands. */
export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('who may watch from where: rules as code');
  addAdminOptions(policy.command('show'))
    .description('the policies in force, as a file for "apply"')
    .action(async (given: unknown) => {
      const { policies } = await readPolicies(await reachAdmin(given));
      say(JSON.stringify(policies, null, 2));
    });
  addAdminOptions(policy.command('diff'))
    .description('what applying a file would change')
    .argument('<file>', 'policies in JSON')
    .action(async (file: string, given: unknown) => {
      const wanted = await readFileOfPolicies(file);
      const { policies } = await readPolicies(await reachAdmin(given));
      sayAll(diffPolicies(policies, wanted));
    });
  addAdminOptions(policy.command('apply'))
    .description('puts the policies of a file in force, in place of all others')
    .argument('<file>', 'policies in JSON')
    .action(async (file: string, given: unknown) => {
      await applyFile(file, await reachAdmin(given));
    });
  addAdminOptions(policy.command('test'))
    .description('what the policies in force say of a place')
    .argument('<stream>', 'name of the stream', streamArgument)
    .option('--country <code>', 'ISO 3166-1 alpha-2')
    .option('--continent <code>', 'AF, AN, AS, EU, NA, OC or SA')
    .option('--region <code>', 'ISO 3166-2, such as DE-BY')
    .option('--asn <number>', 'autonomous system')
    .option('--address <ip>', 'v4 or v6')
    .option('--at <time>', 'such as 2026-12-24T18:00:00+01:00; now unless given')
    .action(async (stream: StreamName, given: unknown) => {
      const { at, ...place } = placeSchema.parse(given);
      const client = await reachAdmin(given);
      const body = { stream, place, ...(at === undefined ? {} : { at }) };
      const question = { method: 'POST', path: '/policies/decision', answer: decisionSchema, body } as const;
      say(describe(await client.ask(question)));
    });
  policy
    .command('schema')
    .description('JSON Schema of a file of policies')
    .action(() => {
      say(
        JSON.stringify(
          z.toJSONSchema(accessPoliciesSchema, { io: 'input', unrepresentable: 'any' }),
          null,
          2,
        ),
      );
    });
}

/** Between reading and writing nobody else's change is lost: the version read is the one that is changed. */
async function applyFile(file: string, client: AdminClient): Promise<void> {
  const wanted = await readFileOfPolicies(file);
  const { policies, version } = await readPolicies(client);
  const lines = diffPolicies(policies, wanted);
  sayAll(lines);
  if (lines.length > 0) {
    const change = {
      method: 'PUT',
      path: '/policies',
      answer: versionSchema,
      body: wanted,
      version,
    } as const;
    const made = await client.ask(change);
    say(`version ${made.version} is in force; every edge has it within ten seconds`);
  }
}

async function readPolicies(client: AdminClient): Promise<z.infer<typeof policiesSchema>> {
  return client.ask({ method: 'GET', path: '/policies', answer: policiesSchema });
}

async function readFileOfPolicies(file: string): Promise<AccessPolicies> {
  const json = await readJsonFile(file);
  const parsed = z.looseObject({ $schema: z.string().optional() }).transform(withoutSchema).safeParse(json);
  const policies = accessPoliciesSchema.safeParse(parsed.success ? parsed.data : json);
  if (!policies.success) {
    throw new CommandError(`${file} has no usable policies:\n${z.prettifyError(policies.error)}`);
  }
  return policies.data;
}

/** Editors find the schema by this key; it is no policy. */
function withoutSchema({ $schema: _schema, ...policies }: { $schema?: string | undefined }): object {
  return policies;
}

function sayAll(lines: readonly string[]): void {
  say(lines.length === 0 ? 'nothing differs' : lines.join('\n'));
}

function describe(decision: PolicyDecision): string {
  if (decision.kind === 'deny') {
    return `denied by ${decision.rule}`;
  }
  return decision.maxHeight === undefined ? 'allowed' : `allowed up to ${decision.maxHeight} lines`;
}
