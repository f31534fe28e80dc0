/** The configuration file's part on who may publish. */

import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import { PUBLISH_KEY_HASH } from './ingest/access/publish-keys.ts';
import type { PublishTokenKey } from './ingest/access/publish-token.ts';
import type { WebhookSettings } from './ingest/access/publish-webhook.ts';

/** Who may publish beside those who show a derived key. */
export interface PublishSettings {
  /** Hashes of streams' own keys. */
  readonly keys: ReadonlyMap<StreamName, readonly string[]>;
  readonly tokenKeys: readonly PublishTokenKey[];
  readonly webhook: WebhookSettings | undefined;
}

const MILLISECONDS_PER_SECOND = 1_000;
/** Longest wait for a webhook, seconds: encoders give up after about ten. */
const MAX_TIMEOUT = 10;
/** Longest time that a decision is kept, seconds. */
const MAX_CACHE = 86_400;
/** Keys of one stream: the current, the next, and one for each encoder. */
const MAX_KEYS = 20;
const MAX_TOKEN_KEYS = 20;

/** A stream's own keys, as hashes. */
export const publishKeysSchema = z
  .array(z.string().regex(PUBLISH_KEY_HASH, 'is not a hash that "rill publish-key" prints'))
  .min(1)
  .max(MAX_KEYS)
  .describe('hashes that "rill publish-key NAME" printed; with them the derived key is no longer taken');

const name = z.string().min(1).max(256);
const tokenKeySchema = z.strictObject({
  keyId: name.describe("the token's kid"),
  algorithm: z.enum(['HS256', 'ES256', 'RS256', 'EdDSA']).describe('the one algorithm it verifies'),
  jwk: z.record(z.string(), z.unknown()).describe('the public key; of HS256 the secret'),
  issuer: name.optional().describe('iss that a token must have'),
  audience: name.optional().describe('aud that a token must have'),
});

const cacheSeconds = z.number().min(0).max(MAX_CACHE);
const webhookSchema = z.strictObject({
  url: z.string().transform(readWebhookUrl).describe('https:, or http: on this machine'),
  timeout: z.number().min(0.1).max(MAX_TIMEOUT).default(3).describe('seconds to wait for its answer'),
  cacheAllow: cacheSeconds.default(60).describe('seconds for which a yes is kept'),
  cacheDeny: cacheSeconds.default(5).describe('seconds for which a no is kept'),
});

/** The key `publish` of the configuration file. */
export const publishSchema = z.strictObject({
  tokenKeys: z.array(tokenKeySchema).max(MAX_TOKEN_KEYS).default([]).describe('keys of publish tokens'),
  webhook: webhookSchema.optional().describe('asked who may publish'),
});

/** The settings of a webhook under its secret. */
export function webhookSettings(file: z.infer<typeof webhookSchema>, secret: string): WebhookSettings {
  return {
    url: file.url,
    secret,
    timeoutMs: file.timeout * MILLISECONDS_PER_SECOND,
    cacheAllowMs: file.cacheAllow * MILLISECONDS_PER_SECOND,
    cacheDenyMs: file.cacheDeny * MILLISECONDS_PER_SECOND,
  };
}

/** Keys travel to it: the way is encrypted, or does not leave this machine. */
function readWebhookUrl(text: string, context: z.RefinementCtx): URL {
  const url = URL.parse(text);
  const isLoopback = url !== null && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url === null || !isSafe || url.username + url.password + url.hash !== '') {
    const message = 'is not an https URL, nor an http URL of this machine, without user and fragment';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  return url;
}
