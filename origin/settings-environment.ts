/** An origin's environment variables: what each may hold, and an example of each. */

import { z } from 'zod';
import { fail, ok, type Result } from '#shared/result.ts';
import { CONFINEMENT_ENVIRONMENT, CONFINEMENT_EXAMPLES } from './transcode/confinement/settings.ts';
import { refineRtmps, RTMPS_ENVIRONMENT, RTMPS_EXAMPLES } from './ingest/rtmp/settings.ts';

/** Levels of pino, from all to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** Shortest secret, characters: 96 bits of base64url. */
const MIN_SECRET_LENGTH = 16;
/** Longest that Node's timers and libsrt both make sense of, milliseconds. */
const MAX_SRT_LATENCY_MS = 60_000;

/** Everything that is wrong, a readable line each; no line holds a value. */
export type SettingsFailure = { readonly reason: 'invalid-settings'; readonly lines: readonly string[] };

/** Levels of pino. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const secret = z
  .string('is missing')
  .min(MIN_SECRET_LENGTH, `needs at least ${MIN_SECRET_LENGTH} characters`);
const text = z.string('is missing');

function port(fallback: number): z.ZodType<number> {
  return integer(fallback, 0, 65_535, 'is not a port, 0 to 65535');
}

function integer(fallback: number, min: number, max: number, message: string): z.ZodType<number> {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .prefault(String(fallback));
}

/** An `http:` or `https:` URL; `withPath` where a path in it has a meaning. */
function httpUrl(withPath: boolean): z.ZodType<URL> {
  return text.transform((value, context) => {
    const url = URL.parse(value);
    const fine =
      url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search + url.hash === '';
    if (!fine || (!withPath && url.pathname !== '/')) {
      context.addIssue({
        code: 'custom',
        message: `is not an http or https URL${withPath ? '' : ' without a path'}`,
      });
      return z.NEVER;
    }
    return url;
  });
}

/** Every variable, with its meaning. */
export const environmentSchema = z
  .object({
    RILL_HOST: z.string().default('127.0.0.1').describe('address that RTMP, SRT and the control API bind to'),
    RILL_RTMP_PORT: port(1935).describe('TCP port of RTMP'),
    ...RTMPS_ENVIRONMENT,
    RILL_SRT_PORT: port(9000).describe('UDP port of SRT'),
    RILL_CONTROL_PORT: port(8081).describe('TCP port of the control API'),
    RILL_EDGE_URL: httpUrl(false).describe('base URL of the edge, no path'),
    RILL_SERVICE_TOKEN: secret.describe('what the origin shows the edge; the edge has the same'),
    RILL_CONTROL_TOKEN: secret.describe('bearer token of the control API'),
    RILL_PUBLISH_SECRET: secret.describe('the publish key of each stream is derived from it'),
    RILL_PUBLISH_WEBHOOK_SECRET: secret
      .optional()
      .describe('signs what the publish webhook is asked; required with it'),
    RILL_S3_ENDPOINT: httpUrl(true).describe('S3 endpoint; a path in it stays in front of the bucket'),
    RILL_S3_BUCKET: text
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not a bucket name')
      .describe('bucket for all media'),
    RILL_S3_REGION: z.string().default('auto').describe('region of the signature'),
    RILL_S3_ACCESS_KEY_ID: text.describe(
      'S3 credentials: read and write objects of that bucket, nothing else',
    ),
    RILL_S3_SECRET_ACCESS_KEY: secret.describe('secret of those credentials'),
    RILL_CONFIG: z.string().optional().describe('path of the configuration file'),
    RILL_DATA_DIR: text.describe('folder of the spool and of what was set through the control API'),
    RILL_SPOOL_MIB: integer(2048, 1, 100_000_000, 'is not a number of MiB from 1').describe(
      'MiB of disk for objects while object storage is away',
    ),
    RILL_LOG_LEVEL: z
      .enum(LOG_LEVELS, `is not one of ${LOG_LEVELS.join(', ')}`)
      .default('info')
      .describe('least severe lines that are logged'),
    RILL_FFMPEG: z.string().default('ffmpeg').describe('path of ffmpeg, or its name in PATH; 5.1 or newer'),
    ...CONFINEMENT_ENVIRONMENT,
    RILL_SRT_LATENCY_MS: integer(
      120,
      0,
      MAX_SRT_LATENCY_MS,
      'is not a number of milliseconds up to 60000',
    ).describe("SRT receive latency, milliseconds up to 60000; the encoder's, when greater, wins"),
    RILL_OPEN_METRICS: z
      .enum(['true', 'false'], 'is neither true nor false')
      .default('false')
      .describe('true: GET /metrics without a token'),
  })
  .superRefine(refineRtmps);

/** The environment, defaults filled in. */
export type Environment = z.infer<typeof environmentSchema>;

const EXAMPLES: Readonly<Record<keyof Environment, string>> = {
  RILL_HOST: '0.0.0.0',
  RILL_RTMP_PORT: '1935',
  ...RTMPS_EXAMPLES,
  RILL_SRT_PORT: '9000',
  RILL_CONTROL_PORT: '8081',
  RILL_EDGE_URL: 'https://live.example.com',
  RILL_SERVICE_TOKEN: 'the output of: openssl rand -base64 32',
  RILL_CONTROL_TOKEN: 'the output of: openssl rand -base64 32',
  RILL_PUBLISH_SECRET: 'the output of: openssl rand -base64 32',
  RILL_PUBLISH_WEBHOOK_SECRET: 'the output of: openssl rand -base64 32',
  RILL_S3_ENDPOINT: 'https://ACCOUNT.r2.cloudflarestorage.com',
  RILL_S3_BUCKET: 'rill-media',
  RILL_S3_REGION: 'auto',
  RILL_S3_ACCESS_KEY_ID: 'the id of an S3 access key',
  RILL_S3_SECRET_ACCESS_KEY: 'the secret of an S3 access key',
  RILL_CONFIG: '/etc/rill/config.json',
  RILL_DATA_DIR: '/var/lib/rill',
  RILL_SPOOL_MIB: '2048',
  RILL_LOG_LEVEL: 'info',
  RILL_FFMPEG: 'ffmpeg',
  ...CONFINEMENT_EXAMPLES,
  RILL_SRT_LATENCY_MS: '120',
  RILL_OPEN_METRICS: 'true',
};

/** Reads the environment; the failure has a line for each variable that is wrong. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Result<Environment, SettingsFailure> {
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  const parsed = environmentSchema.safeParse(Object.fromEntries(given));
  return parsed.success
    ? ok(parsed.data)
    : fail({ reason: 'invalid-settings', lines: parsed.error.issues.map(environmentLine) });
}

/** Only the rule and an example: the value may be a secret in the wrong place. */
function environmentLine(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0] ?? '');
  const example = Object.entries(EXAMPLES).find(([variable]) => variable === name)?.[1] ?? '';
  return `${name} ${issue.message}; example: ${example}`;
}
