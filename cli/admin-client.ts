/** Speaks to the administration of an edge, as the commands of `rill` do. */

import { userInfo } from 'node:os';
import process from 'node:process';
import type { Command } from 'commander';
import { z } from 'zod';
import { seconds } from '#shared/media-time.ts';
import { edgeUrl } from './addresses.ts';
import { addInstanceOptions, locate, readInstanceFlags } from './instance-options.ts';
import { readInstance } from './instance.ts';
import { signPlayToken } from './play-token.ts';
import { readSecrets } from './secrets.ts';
import { CommandError } from './terminal.ts';

/** A change waits for the registry, which may be on another continent. */
const ANSWER_LIMIT_MS = 15_000;
/** How long the token of one command is good for. */
const TOKEN_SECONDS = seconds(60);
/** Variable that holds an admin token for an edge whose secrets are not on this machine. */
const TOKEN_VARIABLE = 'RILL_ADMIN_TOKEN';

const flagsSchema = z.object({ edge: z.url().optional() });
const refusalSchema = z.object({ error: z.string(), detail: z.string().optional() });

/** An edge and the right to administer it. */
export interface AdminClient {
  /** Asks for what lies below `/v1/admin`; throws a {@link CommandError} that says what the edge refused, and why. */
  ask<T>(question: AdminQuestion<T>): Promise<T>;
}

/** A question and the form of its answer. */
export interface AdminQuestion<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly answer: z.ZodType<T>;
  readonly body?: unknown;
  /** The version that a change is made to; others are refused. */
  readonly version?: number;
}

/** Adds the flags that say which edge is meant. */
export function addAdminOptions(command: Command): Command {
  return addInstanceOptions(command).option(
    '--edge <url>',
    `another edge than the instance's; its admin token is read from ${TOKEN_VARIABLE}`,
  );
}

/** Reaches the edge that the flags name: the instance's, or another. */
export async function reachAdmin(given: unknown): Promise<AdminClient> {
  const { edge } = flagsSchema.parse(given);
  if (edge !== undefined) {
    return adminClient(edge.replace(/\/+$/, ''), tokenFromEnvironment(edge));
  }
  const flags = readInstanceFlags(given);
  const secrets = await readSecrets(flags.dataDir);
  const location = locate(flags, await readInstance(flags.dataDir));
  const request = {
    ttl: TOKEN_SECONDS,
    now: Date.now() / 1000,
    viewer: `rill:${userInfo().username}`,
    scopes: ['admin'],
  } as const;
  return adminClient(edgeUrl(location), await signPlayToken(request, secrets.playSecret));
}

function tokenFromEnvironment(edge: string): string {
  const token = process.env[TOKEN_VARIABLE];
  if (token === undefined || token === '') {
    throw new CommandError(
      `${TOKEN_VARIABLE} is not set: make a token with "rill token --scope admin" where the secrets of ${edge} are`,
    );
  }
  return token;
}

function adminClient(root: string, token: string): AdminClient {
  return { ask: (question) => ask(root, token, question) };
}

async function ask<T>(root: string, token: string, question: AdminQuestion<T>): Promise<T> {
  const { method, path, body, version } = question;
  let response: Response;
  try {
    response = await fetch(`${root}/v1/admin${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
  } catch (error) {
    throw new CommandError(
      `no edge at ${root}: start the instance with "npm start", or name another with --edge-port or --edge`,
      { cause: error },
    );
  }
  const answer = await readJson(response);
  if (!response.ok) {
    throw new CommandError(`the edge at ${root} answered ${response.status}${reasonOf(answer)}`);
  }
  const read = question.answer.safeParse(answer);
  if (!read.success) {
    throw new CommandError(`the edge at ${root} answered with something else than was asked for`);
  }
  return read.data;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function reasonOf(answer: unknown): string {
  const refusal = refusalSchema.safeParse(answer);
  if (!refusal.success) {
    return '';
  }
  const { error, detail } = refusal.data;
  return detail === undefined ? ` ${error}` : ` ${error}: ${detail}`;
}
