/** Where streams are pushed on to, in the configuration file. */

import { z } from 'zod';
import { secretText, type SecretSources } from '../secret-text.ts';
import { parseTargetAddress, type TargetAddress } from './target-address.ts';

/** One target of a stream; its address holds secrets. */
export interface RestreamTargetSettings {
  readonly name: string;
  readonly address: TargetAddress;
}

/** Targets of one stream: each is an ffmpeg process and its bandwidth. */
const MAX_TARGETS = 8;
const URL_BYTES = { minBytes: 1, maxBytes: 2048 };
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The key `restream` of a stream. */
export function restreamSchema(sources: SecretSources): z.ZodType<readonly RestreamTargetSettings[]> {
  const target = z.strictObject({
    url: secretText(sources, URL_BYTES)
      .transform((text, context): TargetAddress => {
        const parsed = parseTargetAddress(text);
        if (!parsed.ok) {
          context.addIssue({ code: 'custom', message: parsed.failure.detail });
          return z.NEVER;
        }
        return parsed.value;
      })
      .describe('rtmp://, rtmps:// or srt:// address with the stream key; best from a variable or a file'),
    name: z
      .string()
      .regex(NAME, 'is not a name of a to z, 0 to 9, - and _')
      .optional()
      .describe('what log and status call it; target-1, target-2, …'),
  });
  return z
    .array(target)
    .min(1)
    .max(MAX_TARGETS)
    .transform((targets, context) => {
      const named = targets.map(({ url, name }, index) => ({
        name: name ?? `target-${index + 1}`,
        address: url,
      }));
      if (new Set(named.map(({ name }) => name)).size < named.length) {
        context.addIssue({ code: 'custom', message: 'two targets have one name' });
      }
      return named;
    });
}
