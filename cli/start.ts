/** `npm start`: a whole instance on this machine, until Ctrl-C. */

import path from 'node:path';
import process from 'node:process';
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import { publishKey } from '../origin/ingest/access/publish-keys.ts';
import type { Location, Ports } from './addresses.ts';
import { buildPages } from './build-pages.ts';
import { addInstanceOptions, locate, readInstanceFlags } from './instance-options.ts';
import { claimDataDir, refuseDataDirInUse } from './instance.ts';
import { renderPanel } from './panel.ts';
import { signPlayToken } from './play-token.ts';
import { reservePort, type WantedPort } from './ports.ts';
import { hasQosEngine, type QosEngine } from './qos-engine.ts';
import { runCommand } from './run-command.ts';
import { ensureSecrets, type Secrets } from './secrets.ts';
import { System } from './system.ts';
import { CommandError, complain, say } from './terminal.ts';

const DEMO_TOKEN_TTL = seconds(12 * 3600);
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** One Ctrl-C arrives twice: from the terminal and, forwarded, from npm. */
const SAME_KEYSTROKE_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const flagsSchema = z.object({
  demo: z.boolean(),
  config: z.string().optional(),
  logLevel: z.enum(LOG_LEVELS),
});

process.exitCode = await runCommand(createProgram(), process.argv.slice(2));

function createProgram(): Command {
  return addInstanceOptions(new Command('npm start --'))
    .description('Runs Rill on this machine: edge, origin and a demo stream.')
    .option('--no-demo', 'without the demo stream')
    .option('--config <file>', "the origin's configuration, JSON")
    .addOption(
      new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'),
    )
    .action(run);
}

async function run(given: unknown): Promise<void> {
  const flags = flagsSchema.parse(given);
  const instance = readInstanceFlags(given);
  const dataDir = path.resolve(instance.dataDir);
  const configFile = await findConfig(flags.config);
  await refuseDataDirInUse(dataDir);
  const { secrets, created, repaired } = await ensureSecrets(dataDir);
  if (created) {
    step(`made new secrets in ${dataDir}`);
  }
  if (repaired) {
    complain(`rill: others could read the secrets in ${dataDir}: closed now; delete them to get new ones`);
  }
  const { location, storagePort } = await reservePorts(locate(instance, undefined));
  await claimDataDir(dataDir, { ...location, pid: process.pid });
  await buildPages();
  const demo = flags.demo ? streamName('demo') : undefined;
  const { logLevel } = flags;
  const system = new System({
    location,
    storagePort,
    qosEngine: await reserveQosEngine(),
    dataDir,
    secrets,
    configFile,
    logLevel,
    demo,
    say: step,
  });
  await runUntilStopped(system, async () => {
    say(await panel({ location, secrets, demo, dataDir: instance.dataDir }));
  });
}

/** Starts the system and waits for the end: a signal, or the death of a part it cannot do without. */
async function runUntilStopped(system: System, onReady: () => Promise<void>): Promise<void> {
  const asked = Promise.withResolvers<'asked'>();
  let askedAt: number | undefined;
  const onSignal = (): void => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      step('stopping');
      asked.resolve('asked');
    } else if (performance.now() - askedAt > SAME_KEYSTROKE_MS) {
      step('killing what is left');
      system.kill();
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, onSignal);
  }
  // Bugs end this process too; without this what it started would stay for as long as it takes to notice.
  process.once('exit', () => {
    system.kill();
  });
  const started = system.start().then(onReady);
  try {
    const first = await Promise.race([asked.promise, started]);
    if (first !== 'asked') {
      const end = await Promise.race([asked.promise, system.failed]);
      if (end instanceof CommandError) {
        throw end;
      }
    }
  } finally {
    await system.stop();
    await started.catch(() => undefined);
    step('stopped');
  }
}

async function reservePorts(
  wanted: Location,
): Promise<{ readonly location: Location; readonly storagePort: number }> {
  const { host, ports } = wanted;
  const reserve = (name: keyof Ports, protocol: WantedPort['protocol'], purpose: string): Promise<number> =>
    reservePort({ protocol, host, port: ports[name], purpose, flag: `--${name}-port` });
  const edge = await reserve('edge', 'tcp', 'edge');
  const rtmp = await reserve('rtmp', 'tcp', 'RTMP');
  const srt = await reserve('srt', 'udp', 'SRT');
  const control = await reserve('control', 'tcp', 'control API');
  const storagePort = await reservePort({
    protocol: 'tcp',
    host: '127.0.0.1',
    port: 0,
    purpose: 'object storage',
    flag: '--host',
  });
  return { location: { host, ports: { edge, rtmp, srt, control } }, storagePort };
}

/** Its password is as short-lived as its process. */
async function reserveQosEngine(): Promise<QosEngine | undefined> {
  if (!hasQosEngine()) {
    step('playback is not recorded: the optional package chdb is not installed (npm install)');
    return undefined;
  }
  const port = await reservePort({
    protocol: 'tcp',
    host: '127.0.0.1',
    port: 0,
    purpose: 'QoS engine',
    flag: '--host',
  });
  return { port, password: randomBytes(32).toString('base64url') };
}

async function findConfig(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) {
    return undefined;
  }
  const resolved = path.resolve(file);
  await access(resolved).catch((error: unknown) => {
    throw new CommandError(`the configuration ${resolved} cannot be read: check --config`, { cause: error });
  });
  return resolved;
}

async function panel(input: {
  readonly location: Location;
  readonly secrets: Secrets;
  readonly demo: StreamName | undefined;
  readonly dataDir: string;
}): Promise<string> {
  const { location, secrets, demo, dataDir } = input;
  const stream = streamName('live1');
  const token = (name: StreamName): Promise<string> =>
    signPlayToken({ stream: name, ttl: DEMO_TOKEN_TTL, now: Date.now() / 1000 }, secrets.playSecret);
  return renderPanel({
    location,
    demo: demo === undefined ? undefined : { stream: demo, token: await token(demo) },
    publish: { stream, key: publishKey(secrets.publishSecret, stream) },
    rillFlags: dataDir === '.rill' ? '' : ` --data-dir ${dataDir}`,
  });
}

function step(line: string): void {
  say(`rill: ${line}`);
}

function streamName(text: string): StreamName {
  const name = parseStreamName(text);
  if (!name.ok) {
    throw new Error(`"${text}" is no stream name: ${name.failure.expected}`);
  }
  return name.value;
}
