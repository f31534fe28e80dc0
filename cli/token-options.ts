/** Options of `rill token`: what a playback token allows. */

import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { isStreamPattern } from '#shared/access/stream-pattern.ts';
import { parseIpPrefix } from '#shared/access/ip-prefix.ts';
import { seconds, type Seconds } from '#shared/media-time.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import { parseDuration } from './duration.ts';
import type { PlayTokenRequest } from './play-token.ts';

const SCOPES = ['play', 'publish', 'admin', 'analytics'] as const;
const LARGEST_ASN = 0xffff_ffff;
const MAX_SESSIONS = 1000;

const texts = z.array(z.string()).optional();
const optionsSchema = z.object({
  stream: z.string().optional(),
  ttl: z.custom<Seconds>((value) => typeof value === 'number'),
  id: z.string().optional(),
  viewer: z.string().optional(),
  scope: z.array(z.enum(SCOPES)).optional(),
  country: texts,
  region: texts,
  asn: z.array(z.number()).optional(),
  prefix: texts,
  maxHeight: z.int().optional(),
  maxBitrate: z.int().optional(),
  sessions: z.int().optional(),
  loser: z.enum(['oldest', 'newest']),
  timeShift: z.custom<Seconds>((value) => typeof value === 'number').optional(),
});

/** Adds the options; `--ttl` is the caller's. */
export function addTokenOptions(command: Command): Command {
  return command
    .option('--stream <stream>', 'the stream that it is for, or a pattern like "sports-*"', streamArgument)
    .option('--id <id>', 'by which it can be revoked')
    .option('--viewer <name>', 'whom it is for')
    .addOption(new Option('--scope <names...>', 'what it is for (default: play)').choices(SCOPES))
    .option(
      '--country <codes>',
      'countries from where it holds, like DE,FR',
      codes(/^[A-Z]{2}$/, 'ISO 3166-1 codes like DE'),
    )
    .option(
      '--region <codes>',
      'regions from where it holds, like DE-BY,AT-9',
      codes(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, 'ISO 3166-2 codes like DE-BY'),
    )
    .option('--asn <numbers>', 'autonomous systems from where it holds', asnsArgument)
    .option(
      '--prefix <prefixes>',
      'addresses from where it holds, like 192.0.2.0/24,2001:db8::/32',
      prefixesArgument,
    )
    .option(
      '--max-height <lines>',
      'largest picture height that may be played',
      integer('A height', 'lines', 16_384),
    )
    .option(
      '--max-bitrate <bits>',
      'largest bitrate that may be played, bits per second',
      integer('A bitrate', 'bits per second', Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--sessions <count>',
      'concurrent sessions of the viewer',
      integer('A number of sessions', 'sessions', MAX_SESSIONS),
    )
    .addOption(
      new Option('--loser <which>', 'the session that ends when there is one too many')
        .choices(['oldest', 'newest'])
        .default('oldest'),
    )
    .option('--time-shift <duration>', 'how far behind live may be watched; 0 is live alone', shiftArgument);
}

/** Why options do not go together. */
type OptionsFailure = { readonly reason: 'wrong-options'; readonly detail: string };

/** Reads the options. */
export function readTokenRequest(given: unknown, now: number): Result<PlayTokenRequest, OptionsFailure> {
  const { id, scope, country, region, asn, prefix, sessions, loser, ...same } = optionsSchema.parse(given);
  const scopes = scope ?? ['play'];
  if (same.stream === undefined && (scopes.includes('play') || scopes.includes('publish'))) {
    return wrong('--stream is needed: a token to play or publish is for a stream');
  }
  if (sessions !== undefined && same.viewer === undefined) {
    return wrong('--viewer is needed: it is whose --sessions are counted');
  }
  return ok({
    ...same,
    now,
    tokenId: id,
    scopes: scope,
    countries: country,
    regions: region,
    asns: asn,
    prefixes: prefix,
    sessions: sessions === undefined ? undefined : { limit: sessions, loser },
  });
}

function wrong(detail: string): Result<never, OptionsFailure> {
  return fail({ reason: 'wrong-options', detail });
}

function streamArgument(text: string): string {
  if (!isStreamPattern(text)) {
    throw new InvalidArgumentError(
      'A stream is a name of a to z, 0 to 9, "-" and "_", or a pattern of them with "*".',
    );
  }
  return text;
}

function codes(form: RegExp, name: string): (text: string) => readonly string[] {
  return (text) => {
    const given = split(text.toUpperCase());
    if (!given.every((code) => form.test(code))) {
      throw new InvalidArgumentError(`These are ${name}, separated by commas.`);
    }
    return given;
  };
}

function asnsArgument(text: string): readonly number[] {
  const numbers = split(text).map((part) =>
    /^(?:AS)?[0-9]{1,10}$/i.test(part) ? Number(part.replace(/^AS/i, '')) : Number.NaN,
  );
  if (!numbers.every((number) => number <= LARGEST_ASN)) {
    throw new InvalidArgumentError('These are numbers of autonomous systems, separated by commas.');
  }
  return numbers;
}

function prefixesArgument(text: string): readonly string[] {
  const prefixes = split(text);
  if (!prefixes.every((prefix) => parseIpPrefix(prefix) !== undefined)) {
    throw new InvalidArgumentError('These are prefixes like 192.0.2.0/24, separated by commas.');
  }
  return prefixes;
}

function integer(name: string, unit: string, largest: number): (text: string) => number {
  return (text) => {
    const value = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= largest)) {
      throw new InvalidArgumentError(`${name} is a number of ${unit} from 1 to ${largest}.`);
    }
    return value;
  };
}

function shiftArgument(text: string): Seconds {
  if (/^0s?$/.test(text)) {
    return seconds(0);
  }
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`A duration is ${duration.failure.expected}, or 0.`);
  }
  return duration.value;
}

function split(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}
