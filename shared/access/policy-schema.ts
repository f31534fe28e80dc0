/** Policies as administrators write them: read once, bounded, and every likely mistake named. */

import { z } from 'zod';
import { parseStreamName } from '../identifiers.ts';
import { CONTINENTS, isCountryCode } from './country-codes.ts';
import { parseIpPrefix } from './ip-prefix.ts';
import type { AccessPolicies, PolicyRule, RuleMatch, StreamPolicy } from './policy.ts';

/** Rules of one policy: a request's decision stays within a few microseconds. */
const MAX_RULES = 200;
/** Entries of one list. */
const MAX_LIST = 1_000;
/** Streams with a policy of their own. */
const MAX_STREAM_POLICIES = 1_000;
const MAX_NOTE = 500;
const MAX_HEIGHT = 16_384;
const LARGEST_ASN = 0xffff_ffff;
/** Last second of the year 9999: times beyond it are mistakes, milliseconds for example. */
const LAST_SECOND = 253_402_300_799;

/** Unix seconds, or a date and time with its offset (RFC 3339), read as such. */
export const instantSchema: z.ZodType<number> = z.union(
  [
    z.int().min(0).max(LAST_SECOND),
    z.iso.datetime({ offset: true }).transform((text) => Math.floor(Date.parse(text) / 1000)),
  ],
  'is Unix seconds or a time like 2026-12-24T18:00:00+01:00',
);

/** A rule's name, as logs and refusals give it. */
const ruleIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'is 1 to 64 of A-Z a-z 0-9 _ . -');
const countrySchema = z
  .string()
  .refine(isCountryCode, { error: 'is no ISO 3166-1 alpha-2 code (Britain is GB)' })
  .meta({ pattern: '^[A-Z]{2}$' });
const regionSchema = z
  .string()
  .regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, 'is no ISO 3166-2 code, such as DE-BY')
  .refine((text) => isCountryCode(text.slice(0, 2)), { error: 'names no country before the hyphen' });
const prefixSchema = z
  .string()
  .max(50)
  .refine((text) => parseIpPrefix(text)?.isCanonical === true, {
    error: 'is no CIDR prefix whose address has no bit set beyond its length, such as 192.0.2.0/24',
  });

/** A list that is given but empty would match nowhere, which nobody means. */
function list<T extends z.ZodType>(entry: T): z.ZodOptional<z.ZodArray<T>> {
  return z.array(entry).min(1).max(MAX_LIST).optional();
}

const matchSchema: z.ZodType<RuleMatch> = z.strictObject({
  countries: list(countrySchema),
  continents: list(z.enum(CONTINENTS)),
  regions: list(regionSchema),
  asns: list(z.int().min(0).max(LARGEST_ASN)),
  prefixes: list(prefixSchema),
});

const ruleSchema: z.ZodType<PolicyRule> = z
  .strictObject({
    id: ruleIdSchema,
    effect: z.enum(['allow', 'deny', 'limit']),
    match: matchSchema,
    from: instantSchema.optional(),
    until: instantSchema.optional(),
    maxHeight: z.int().min(1).max(MAX_HEIGHT).optional(),
    note: z.string().max(MAX_NOTE).optional(),
  })
  .refine(({ effect, maxHeight }) => (effect === 'limit') === (maxHeight !== undefined), {
    error: 'maxHeight belongs to rules with the effect "limit", and to each of them',
    path: ['maxHeight'],
  })
  .refine(({ from, until }) => from === undefined || until === undefined || from < until, {
    error: 'ends before it begins',
    path: ['until'],
  });

/** One stream's policy, or the default. */
export const streamPolicySchema: z.ZodType<StreamPolicy> = z.strictObject({
  access: z.enum(['token', 'public']),
  rules: z
    .array(ruleSchema)
    .max(MAX_RULES)
    .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, {
      error: 'each rule has an id of its own',
    }),
  unknownLocation: z.enum(['allow', 'deny']).optional(),
});

/** A stream's name as a key. */
export const streamNameSchema: z.ZodType<string, string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)
  .refine((text) => parseStreamName(text).ok);

/** All policies. */
export const accessPoliciesSchema: z.ZodType<AccessPolicies> = z.strictObject({
  default: streamPolicySchema,
  streams: z
    .record(streamNameSchema, streamPolicySchema)
    .refine((streams) => Object.keys(streams).length <= MAX_STREAM_POLICIES, {
      error: `at most ${MAX_STREAM_POLICIES} streams have policies of their own`,
    }),
});

/** What holds before anything was said: a token is needed, from anywhere. */
export const INITIAL_POLICIES: AccessPolicies = { default: { access: 'token', rules: [] }, streams: {} };
