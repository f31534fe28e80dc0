/** The commands of `rill` that control an origin: its streams, their keys, its configuration and its log. */

import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import { parseDuration } from './duration.ts';
import { askControl, type ControlAccess, type ControlRequest } from './control-client.ts';
import { addInstanceOptions, locate, readInstanceFlags, streamArgument } from './instance-options.ts';
import { readInstance } from './instance.ts';
import { readJsonFile } from './json-file.ts';
import { listStreams, streamTable } from './live-streams.ts';
import { readSecrets } from './secrets.ts';
import { say } from './terminal.ts';

const listSchema = z.object({ json: z.boolean().default(false) });
const stopSchema = z.object({ for: z.number().optional(), untilStarted: z.boolean().default(false) });
const rotateSchema = z.object({ grace: z.number().optional() });
const declareSchema = z.object({ settings: z.string().optional() });
const logSchema = z.object({ part: z.string().optional() });
const anything = z.unknown();

/** Adds `streams` with its subcommands, `reload` and `log-level`. */
export function addControl(program: Command): void {
  const streams = addInstanceOptions(program.command('streams'))
    .description('the streams that are live; with a subcommand, control of one')
    .option('--json', 'everything that is measured, as JSON')
    .action(async (given: unknown) => {
      const live = await listStreams(await access(given));
      say(listSchema.parse(given).json ? JSON.stringify(live, null, 2) : streamTable(live));
    });
  addShow(streams);
  addDeclare(streams);
  addStop(streams);
  addRotate(streams);
  addOrigin(program);
}

function addShow(streams: Command): void {
  ofStream(streams, 'show', 'everything about one stream, as JSON').action(
    async (name: StreamName, _given: unknown, command: Command) => {
      await print(command, { method: 'GET', path: `/streams/${name}` });
    },
  );
  ofStream(streams, 'keys', 'hashes of the publish keys that open it').action(
    async (name: StreamName, _given: unknown, command: Command) => {
      await print(command, { method: 'GET', path: `/streams/${name}/keys` });
    },
  );
}

function addDeclare(streams: Command): void {
  ofStream(streams, 'declare', 'gives a stream settings of its own, from its next publisher on')
    .option('--settings <file>', 'JSON, as in streams.NAME of the configuration file')
    .action(async (name: StreamName, given: unknown, command: Command) => {
      const { settings } = declareSchema.parse(given);
      const body = settings === undefined ? {} : await readJsonFile(settings);
      await print(command, { method: 'PUT', path: `/streams/${name}`, body });
    });
  ofStream(streams, 'delete', 'stops a stream for 60 s and forgets what was set of it').action(
    async (name: StreamName, _given: unknown, command: Command) => {
      await ask(command, { method: 'DELETE', path: `/streams/${name}` }, anything);
    },
  );
}

function addStop(streams: Command): void {
  ofStream(streams, 'stop', 'ends a stream and refuses its publishers')
    .option('--for <duration>', 'for so long (default: 60s)', secondsArgument)
    .option('--until-started', 'until "rill streams start"')
    .action(async (name: StreamName, given: unknown, command: Command) => {
      const { for: seconds, untilStarted } = stopSchema.parse(given);
      const body = untilStarted ? { until: 'started' } : { seconds };
      await print(command, { method: 'POST', path: `/streams/${name}/stop`, body });
    });
  ofStream(streams, 'start', 'lets publishers of a stopped stream in again').action(
    async (name: StreamName, _given: unknown, command: Command) => {
      await print(command, { method: 'POST', path: `/streams/${name}/start` });
    },
  );
}

function addRotate(streams: Command): void {
  ofStream(streams, 'rotate-key', 'a new publish key; those before stay good for a while')
    .option('--grace <duration>', 'for so long (default: 1h)', secondsArgument)
    .action(async (name: StreamName, given: unknown, command: Command) => {
      const body = { graceSeconds: rotateSchema.parse(given).grace };
      const made = await ask(
        command,
        { method: 'POST', path: `/streams/${name}/keys/rotate`, body },
        z.object({ key: z.string(), hash: z.string(), previousValidUntil: z.string() }),
      );
      say(`key (for the encoder; it is shown this once)  ${made.key}`);
      say(`hash  ${made.hash}`);
      say(`the keys before are good until  ${made.previousValidUntil}`);
    });
}

function addOrigin(program: Command): void {
  addInstanceOptions(program.command('reload'))
    .description('reads the configuration file again, without dropping a stream')
    .action(async (_given: unknown, command: Command) => {
      await print(command, { method: 'POST', path: '/config/reload' });
    });
  addInstanceOptions(program.command('log-level'))
    .description('sets the log level until the next start')
    .argument('<level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--part <part>', 'of one part: rtmp, srt, objects, stream, …')
    .action(async (level: string, given: unknown, command: Command) => {
      await print(command, { method: 'PUT', path: '/log-level', body: { level, ...logSchema.parse(given) } });
    });
}

function ofStream(streams: Command, name: string, description: string): Command {
  return streams
    .command(name)
    .description(description)
    .argument('<stream>', 'name of the stream', streamArgument);
}

async function print(command: Command, request: ControlRequest): Promise<void> {
  say(JSON.stringify(await ask(command, request, anything), null, 2));
}

async function ask<T>(command: Command, request: ControlRequest, schema: z.ZodType<T>): Promise<T> {
  return askControl(await access(command.optsWithGlobals()), request, schema);
}

async function access(given: unknown): Promise<ControlAccess> {
  const flags = readInstanceFlags(given);
  const { controlToken } = await readSecrets(flags.dataDir);
  return { location: locate(flags, await readInstance(flags.dataDir)), controlToken };
}

function secondsArgument(text: string): number {
  if (text === '0') {
    return 0;
  }
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`A duration is ${duration.failure.expected}.`);
  }
  return duration.value;
}
