/** The commands of `rill`: keys, tokens and addresses of an instance, and what is live on it. */

import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import type { Seconds } from '#shared/media-time.ts';
import { hashPublishKey, makePublishKey, publishKey } from '../origin/ingest/access/publish-keys.ts';
import { dashboardUrl, playUrl, publishUrl, watchUrl, type Location } from './addresses.ts';
import { signAnalyticsToken } from './analytics-token.ts';
import { parseDuration } from './duration.ts';
import { addInstanceOptions, locate, readInstanceFlags, streamArgument } from './instance-options.ts';
import { addKeys, addRevoke } from './access-commands.ts';
import { readInstance } from './instance.ts';
import { addPolicy } from './policy-commands.ts';
import { signPlayToken } from './play-token.ts';
import { askQosReport } from './qos-report.ts';
import { readSecrets, type Secrets } from './secrets.ts';
import { addControl } from './stream-commands.ts';
import { say } from './terminal.ts';
import { addTokenOptions, readTokenRequest } from './token-options.ts';

const DEFAULT_TTL = '12h';

/** A deployed edge; its secrets are in the folder that `npm run deploy` names. */
const edge = z.url({ protocol: /^https?$/ }).optional();
const ttl = z.custom<Seconds>((value) => typeof value === 'number');
const playSchema = z.object({ edge, ttl, watch: z.boolean().default(false) });
const publishSchema = z.object({ rtmp: z.boolean().default(false), srt: z.boolean().default(false) });
const qosSchema = z.object({
  stream: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  step: z.string().optional(),
  by: z.string().optional(),
  json: z.boolean().default(false),
  csv: z.boolean().default(false),
});
const dashboardSchema = z.object({ edge, ttl });

/** Makes the program; each command prints its result alone to stdout. */
export function createRillProgram(): Command {
  const program = new Command('rill').description('Keys, tokens and addresses of a Rill instance.');
  addPlayUrl(program);
  addPublishUrl(program);
  addPublishKey(program);
  addToken(program);
  addControl(program);
  addQos(program);
  addPolicy(program);
  addRevoke(program);
  addKeys(program);
  addDashboard(program);
  return program;
}

function addPlayUrl(program: Command): void {
  addInstanceOptions(program.command('play-url'))
    .description('the multivariant playlist of a stream, with a token in its path')
    .argument('<stream>', 'name of the stream', streamArgument)
    .option(
      '--ttl <duration>',
      'how long the token is valid',
      durationArgument,
      durationArgument(DEFAULT_TTL),
    )
    .option('--watch', 'the watch page instead')
    .option('--edge <url>', 'address of a deployed edge')
    .action(async (name: StreamName, given: unknown) => {
      const { location, secrets } = await reach(given);
      const options = playSchema.parse(given);
      const token = await signPlayToken({ stream: name, ttl: options.ttl, now: now() }, secrets.playSecret);
      const at = { ...location, edge: options.edge };
      say((options.watch ? watchUrl : playUrl)(at, name, token));
    });
}

function addPublishUrl(program: Command): void {
  addInstanceOptions(program.command('publish-url'))
    .description('where an encoder publishes a stream, with its key')
    .argument('<stream>', 'name of the stream', streamArgument)
    .option('--rtmp', 'over RTMP (the default)')
    .option('--srt', 'over SRT')
    .action(async (name: StreamName, given: unknown, command: Command) => {
      const options = publishSchema.parse(given);
      if (options.rtmp && options.srt) {
        command.error('error: --rtmp and --srt exclude each other');
      }
      const { location, secrets } = await reach(given);
      const key = publishKey(secrets.publishSecret, name);
      say(publishUrl({ location, stream: name, protocol: options.srt ? 'srt' : 'rtmp', key }));
    });
}

function addPublishKey(program: Command): void {
  addInstanceOptions(program.command('publish-key'))
    .description('a new key of its own for a stream, and the hash that goes into the configuration')
    .argument('<stream>', 'name of the stream', streamArgument)
    .action((name: StreamName) => {
      const key = makePublishKey();
      say(`key (for the encoder; it is shown this once)  ${key}`);
      say(`hash (for streams.${name}.publishKeys)  ${hashPublishKey(key)}`);
    });
}

function addToken(program: Command): void {
  addTokenOptions(addInstanceOptions(program.command('token')))
    .description('a token: for playback unless --scope says otherwise')
    .option('--ttl <duration>', 'how long it is valid', durationArgument, durationArgument(DEFAULT_TTL))
    .action(async (given: unknown, command: Command) => {
      const request = readTokenRequest(given, now());
      if (!request.ok) {
        command.error(`error: ${request.failure.detail}`);
      }
      const { secrets } = await reach(given);
      say(await signPlayToken(request.value, secrets.playSecret));
    });
}

function addQos(program: Command): void {
  addInstanceOptions(program.command('qos'))
    .description('a report on how playback went: concurrents, sessions, startup, rebuffering, failures, …')
    .argument('<report>', 'name of the report, or session/{id}')
    .option('--stream <stream>', 'of one stream', streamArgument)
    .option('--from <time>', 'Unix seconds, ISO 8601 in UTC, or back from now: -15m')
    .option('--to <time>', 'like --from; now unless given')
    .option('--step <duration>', 'a row for each such time: 10s, 5m, 1h')
    .option(
      '--by <dimensions>',
      'country, region, asn, colo, rendition, player, device, browser, os, protocol',
    )
    .option('--json', 'as JSON')
    .option('--csv', 'as CSV')
    .action(async (report: string, given: unknown, command: Command) => {
      const { json, csv, ...parameters } = qosSchema.parse(given);
      if (json && csv) {
        command.error('error: --json and --csv exclude each other');
      }
      const { location, secrets } = await reach(given);
      const text = csv ? 'csv' : 'table';
      const question = { report, parameters, format: json ? 'json' : text } as const;
      say(await askQosReport(question, { location, playSecret: secrets.playSecret, now: now() }));
    });
}

function addDashboard(program: Command): void {
  addInstanceOptions(program.command('dashboard'))
    .description('the dashboard, with a token in its fragment')
    .option(
      '--ttl <duration>',
      'how long the token is valid',
      durationArgument,
      durationArgument(DEFAULT_TTL),
    )
    .option('--edge <url>', 'address of a deployed edge')
    .action(async (given: unknown) => {
      const { location, secrets } = await reach(given);
      const options = dashboardSchema.parse(given);
      const request = { scopes: ['analytics', 'play'], ttl: options.ttl, now: now() } as const;
      const at = { ...location, edge: options.edge };
      say(dashboardUrl(at, await signAnalyticsToken(request, secrets.playSecret)));
    });
}

async function reach(given: unknown): Promise<{ readonly location: Location; readonly secrets: Secrets }> {
  const flags = readInstanceFlags(given);
  const secrets = await readSecrets(flags.dataDir);
  return { location: locate(flags, await readInstance(flags.dataDir)), secrets };
}

function now(): number {
  return Date.now() / 1000;
}

function durationArgument(text: string): Seconds {
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`A duration is ${duration.failure.expected}.`);
  }
  return duration.value;
}
