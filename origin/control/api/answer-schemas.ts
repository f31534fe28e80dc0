/** What the control API answers, as its description has it. */

import { z } from 'zod';
import type { NamedSchema } from '#shared/openapi/describe-api.ts';
import { LOG_LEVELS } from '../../settings-environment.ts';

const milliseconds = z.number().describe('milliseconds');
const timing = z.object({ p50Ms: milliseconds, p95Ms: milliseconds, maxMs: milliseconds });
const keySchema = z.object({
  hash: z.string(),
  source: z.enum(['derived', 'file', 'api']).describe('where it was set'),
  validUntil: z.string().nullable().describe('end of an old key’s grace time'),
});

const streamFields = {
  stream: z.string(),
  state: z.enum(['live', 'idle', 'stopped']),
  declared: z.boolean().describe('settings were given through this API'),
  settings: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('those given through this API, secrets that stand in them hidden'),
  stoppedUntil: z.string().nullable().describe('ISO 8601, "started" without end'),
};

/** A stream that is not live. */
const idleStream = z.object(streamFields);

/** A stream that is live, with everything that is measured. */
const liveStream = z.object({
  ...streamFields,
  protocol: z.enum(['rtmp', 'srt']),
  remoteAddress: z.string(),
  uptimeSeconds: z.number(),
  source: z.object({ video: z.unknown().nullable(), audio: z.unknown().nullable() }).nullable(),
  renditions: z.array(z.record(z.string(), z.unknown())),
  nextMsn: z.int().nullable(),
  lastPartAgeSeconds: z.number().nullable(),
  hub: z.record(z.string(), z.unknown()).nullable().describe('what waits for the edge'),
  input: z
    .object({
      bitrate: z.number().describe('bits per second over ten seconds, container included'),
      frameRate: z.number().nullable().describe('frames per second of media time'),
      gopSeconds: z.number().nullable().describe('between the newest two key frames'),
      longestGopSeconds: z.number().nullable(),
    })
    .nullable(),
  encoderSpeed: z.number().nullable().describe('media seconds encoded per second; null in the first ten'),
  partTiming: timing
    .extend({ parts: z.int() })
    .nullable()
    .describe('lateness: end of a part’s media to its announcement, over ten seconds'),
  mediaSeconds: z.number(),
  srt: z.record(z.string(), z.unknown()).nullable().describe('the link as libsrt sees it'),
  degraded: z.array(z.object({ reason: z.string(), detail: z.string() })),
});

/** Everything live and everything known. */
export const streamsAnswer: NamedSchema = {
  name: 'Streams',
  schema: z.object({
    streams: z.array(liveStream),
    idle: z.array(idleStream).describe('declared or stopped, and not live'),
    pulls: z.array(z.looseObject({})).describe('encoders that the origin calls over SRT'),
    objects: z.record(z.string(), z.unknown()).describe('what waits for object storage, the spool included'),
    latencies: z.object({ put: timing.nullable(), hub: timing.nullable() }),
    webhooks: z.array(z.record(z.string(), z.unknown())),
  }),
};

/** One stream. */
export const streamAnswer: NamedSchema = { name: 'Stream', schema: z.union([liveStream, idleStream]) };

/** The keys of a stream. */
export const keysAnswer: NamedSchema = { name: 'Keys', schema: z.object({ keys: z.array(keySchema) }) };

/** A new key. */
export const newKeyAnswer: NamedSchema = {
  name: 'NewKey',
  schema: z.object({
    key: z.string().describe('for the encoder; it is told this once'),
    hash: z.string(),
    previousValidUntil: z.string(),
  }),
};

/** What a reload did. */
export const reloadAnswer: NamedSchema = {
  name: 'Reloaded',
  schema: z.object({
    applied: z.array(z.string()).describe('keys in force for what starts from now on'),
    needRestart: z.array(z.string()).describe('keys in force after the next start'),
  }),
};

const logLevel = z.enum(LOG_LEVELS);

/** Levels in force. */
export const logLevelAnswer: NamedSchema = {
  name: 'LogLevels',
  schema: z.object({
    level: logLevel,
    parts: z.record(z.string(), logLevel),
    knownParts: z.array(z.string()),
  }),
};
