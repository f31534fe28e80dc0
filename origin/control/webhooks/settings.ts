/** The configuration file's part on who is told of events. */

import { z } from 'zod';
import { EVENT_TYPES, type EventType } from '../event-log.ts';

/** One receiver. */
export interface WebhookReceiver {
  readonly name: string;
  readonly url: URL;
  readonly events: readonly EventType[];
  readonly timeoutMs: number;
  /** Keys under which each message is signed; more than one while they are rotated. */
  readonly secrets: readonly Uint8Array[];
}

const MAX_RECEIVERS = 20;
/** Longest wait for an answer, seconds: a receiver takes a message and works on it later. */
const MAX_TIMEOUT = 30;
const MILLISECONDS_PER_SECOND = 1_000;
/** Standard Webhooks: a secret has 24 to 64 bytes. */
const SECRET = /^whsec_(?<base64>[A-Za-z0-9+/]{32,88}={0,2})$/;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

const receiver = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'is a to z, 0 to 9, "-" and "_", at most 64 characters')
    .describe('what logs and metrics call it; a new name begins with an empty queue'),
  url: z
    .string()
    .transform(readUrl)
    .describe('where messages are posted: http or https, redirects are not followed'),
  events: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .default([...EVENT_TYPES])
    .describe('what it is told of; everything unless set'),
  timeout: z.number().min(0.5).max(MAX_TIMEOUT).default(10).describe('seconds to wait for its answer'),
  secretEnv: z
    .string()
    .regex(/^RILL_[A-Z0-9_]{1,100}$/, 'is the name of an environment variable that begins with RILL_')
    .default('RILL_WEBHOOK_SECRET')
    .describe(
      'environment variable with its secret: whsec_ and base64; two, with a space between, while rotating',
    ),
});

/** The key `webhooks` of the configuration file. */
export const webhooksSchema = z
  .array(receiver)
  .max(MAX_RECEIVERS)
  .default([])
  .superRefine((receivers, context) => {
    if (new Set(receivers.map(({ name }) => name)).size < receivers.length) {
      context.addIssue({ code: 'custom', message: 'names must differ' });
    }
  })
  .describe('who is told of events');

/** The receivers with their secrets, or a line for each secret that is missing or none. */
export function readReceivers(
  receivers: z.infer<typeof webhooksSchema>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly receivers: readonly WebhookReceiver[]; readonly lines: readonly string[] } {
  const read = receivers.map(({ secretEnv, timeout, ...rest }) => ({
    secretEnv,
    receiver: {
      ...rest,
      timeoutMs: timeout * MILLISECONDS_PER_SECOND,
      secrets: (env[secretEnv] ?? '').split(' ').filter(Boolean).map(readWebhookSecret),
    },
  }));
  const wrong = read.filter(
    ({ receiver: { secrets } }) => secrets.length === 0 || secrets.includes(undefined),
  );
  const lines = [...new Set(wrong.map(({ secretEnv }) => secretEnv))].map(
    (variable) =>
      `${variable} is missing or not a webhook secret of 24 to 64 bytes; example: whsec_ and the output of: openssl rand -base64 32`,
  );
  return {
    lines,
    receivers: read.map(({ receiver: one }) => ({
      ...one,
      secrets: one.secrets.filter((secret) => secret !== undefined),
    })),
  };
}

/** Reads a secret as Standard Webhooks writes it; `undefined` for what is none. */
export function readWebhookSecret(text: string): Uint8Array | undefined {
  const base64 = SECRET.exec(text)?.groups?.['base64'];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return bytes.length >= MIN_SECRET_BYTES && bytes.length <= MAX_SECRET_BYTES ? bytes : undefined;
}

function readUrl(text: string, context: z.RefinementCtx): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password + url.hash !== '') {
    context.addIssue({ code: 'custom', message: 'is not an http or https URL without user and fragment' });
    return z.NEVER;
  }
  return url;
}
