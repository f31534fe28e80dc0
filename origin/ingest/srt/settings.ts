/** What single streams ask of SRT beside the origin's own settings, in the configuration file. */

import { z } from 'zod';
import { secretText, type SecretSources } from '../../secret-text.ts';
import { parsePullAddress, type PullAddress } from './pull-address.ts';

/** Bytes of an AES key. */
export type SrtKeyLength = 16 | 24 | 32;

/** What one stream has of its own; it holds a secret. */
export interface SrtStreamSettings {
  /** With it, what is not encrypted with it is refused. */
  readonly passphrase?: string | undefined;
  /** Shortest key taken from a caller, and the one we choose when we call. */
  readonly keyLength?: SrtKeyLength | undefined;
  /** Least delay before delivery, milliseconds. */
  readonly latencyMs?: number | undefined;
  /** Where the origin calls for the stream. */
  readonly pull?: PullAddress | undefined;
}

/** Bounds of a passphrase, bytes (SRTO_PASSPHRASE). */
const PASSPHRASE = { minBytes: 10, maxBytes: 79 };
/** Longest latency, milliseconds: as of the origin as a whole. */
const MAX_LATENCY = 60_000;

/** Longest address of an encoder, bytes: a stream id has 512, escaped three times as many. */
const PULL = { minBytes: 1, maxBytes: 2048 };

/** The key `srt` of a stream. */
export function srtSchema(sources: SecretSources): z.ZodType<SrtStreamSettings> {
  return z
    .strictObject({
      passphrase: secretText(sources, PASSPHRASE)
        .optional()
        .describe('what media is encrypted with, 10 to 79 bytes: unencrypted feeds are then refused'),
      keyLength: z
        .literal([16, 24, 32])
        .optional()
        .describe('bytes of the AES key: shorter ones of callers are refused, and it is ours when we call'),
      latency: z
        .int()
        .min(0)
        .max(MAX_LATENCY)
        .optional()
        .describe("receive latency in milliseconds, in place of the origin's"),
      pull: secretText(sources, PULL)
        .optional()
        .describe('srt:// address of an encoder that listens: the origin calls it and keeps calling'),
    })
    .transform(({ passphrase, keyLength, latency, pull }, context) => {
      const own: SrtStreamSettings = { passphrase, keyLength, latencyMs: latency };
      if (pull === undefined) {
        return checkKeyLength(own, context);
      }
      const parsed = parsePullAddress(pull);
      if (!parsed.ok) {
        context.addIssue({ code: 'custom', message: parsed.failure.detail, path: ['pull'] });
        return z.NEVER;
      }
      return checkKeyLength(withAddress(own, parsed.value, context), context);
    });
}

/** Settings in the address count as the stream's own; which of two is meant nobody can know. */
function withAddress(own: SrtStreamSettings, pull: PullAddress, context: z.RefinementCtx): SrtStreamSettings {
  for (const name of ['passphrase', 'keyLength', 'latencyMs'] as const) {
    if (own[name] !== undefined && pull[name] !== undefined) {
      context.addIssue({ code: 'custom', message: `${name} is also in the address`, path: ['pull'] });
    }
  }
  const { host, port, streamId } = pull;
  return {
    passphrase: own.passphrase ?? pull.passphrase,
    keyLength: own.keyLength ?? pull.keyLength,
    latencyMs: own.latencyMs ?? pull.latencyMs,
    pull: { host, port, streamId },
  };
}

function checkKeyLength(settings: SrtStreamSettings, context: z.RefinementCtx): SrtStreamSettings {
  if (settings.keyLength !== undefined && settings.passphrase === undefined) {
    context.addIssue({ code: 'custom', message: 'keyLength needs a passphrase' });
  }
  return settings;
}
