/** The flags that `npm start` and `rill` share: which instance is meant, and where it listens. */

import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { DEFAULT_HOST, DEFAULT_PORTS, type Location } from './addresses.ts';

/** Folder of an instance unless a flag says otherwise. */
const DEFAULT_DATA_DIR = '.rill';

const flagsSchema = z.object({
  dataDir: z.string(),
  host: z.string().optional(),
  edgePort: z.int().optional(),
  rtmpPort: z.int().optional(),
  srtPort: z.int().optional(),
  controlPort: z.int().optional(),
});
/** The shared flags as given; what is absent is decided by the instance's record. */
export type InstanceFlags = z.infer<typeof flagsSchema>;

/** Adds the shared flags to a command. */
export function addInstanceOptions(command: Command): Command {
  return command
    .addOption(port('--edge-port', 'port of the edge (HTTP)', DEFAULT_PORTS.edge))
    .addOption(port('--rtmp-port', 'port for RTMP publishers (TCP)', DEFAULT_PORTS.rtmp))
    .addOption(port('--srt-port', 'port for SRT publishers (UDP)', DEFAULT_PORTS.srt))
    .addOption(port('--control-port', 'port of the control API (HTTP)', DEFAULT_PORTS.control))
    .option('--host <address>', `address to listen on (default: ${DEFAULT_HOST})`)
    .option('--data-dir <folder>', 'secrets, media and state of the instance', DEFAULT_DATA_DIR);
}

/** Reads the shared flags out of a command's options. */
export function readInstanceFlags(options: unknown): InstanceFlags {
  return flagsSchema.parse(options);
}

/** Where the instance is: flags first, then the instance's own record, then the defaults. */
export function locate(flags: InstanceFlags, record: Location | undefined): Location {
  const ports = record?.ports ?? DEFAULT_PORTS;
  return {
    host: flags.host ?? record?.host ?? DEFAULT_HOST,
    ports: {
      edge: flags.edgePort ?? ports.edge,
      rtmp: flags.rtmpPort ?? ports.rtmp,
      srt: flags.srtPort ?? ports.srt,
      control: flags.controlPort ?? ports.control,
    },
  };
}

/** Reads a stream's name as commander's argument parser. */
export function streamArgument(text: string): StreamName {
  const name = parseStreamName(text);
  if (!name.ok) {
    throw new InvalidArgumentError(`A stream's name is ${name.failure.expected}.`);
  }
  return name.value;
}

function port(flag: string, description: string, standard: number): Option {
  return new Option(`${flag} <port>`, `${description} (default: ${standard})`).argParser(portArgument);
}

function portArgument(text: string): number {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 65_535)) {
    throw new InvalidArgumentError('A port is a number from 1 to 65535, or 0 for any free one.');
  }
  return value;
}
