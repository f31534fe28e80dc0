/** Secrets in the configuration file: as they stand, or, better, where they are found. */

import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where secrets are looked for. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

/** Where a running origin finds them. */
export const PROCESS_SECRETS: SecretSources = {
  env: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
};

/** Bounds of a secret, bytes of UTF-8. */
export interface SecretBounds {
  readonly minBytes: number;
  readonly maxBytes: number;
}

const reference = z.union(
  [
    z.string().describe('the secret itself'),
    z.strictObject({ env: z.string().min(1).describe('name of an environment variable that holds it') }),
    z.strictObject({ file: z.string().min(1).describe('path of a file that holds it and nothing else') }),
  ],
  'is neither a text nor {"env": NAME} nor {"file": PATH}',
);

/** A text, `{"env": NAME}` or `{"file": PATH}`, read when the settings are; no message repeats what was read. */
export function secretText(sources: SecretSources, bounds: SecretBounds): z.ZodType<string> {
  return reference.transform((given, context) => {
    const secret = readSecret(sources, given);
    if (secret.text === undefined) {
      context.addIssue({ code: 'custom', message: secret.problem });
      return z.NEVER;
    }
    const bytes = Buffer.byteLength(secret.text);
    if (bytes < bounds.minBytes || bytes > bounds.maxBytes) {
      const message = `has ${bytes} bytes, needs ${bounds.minBytes} to ${bounds.maxBytes}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return secret.text;
  });
}

type Read = { readonly text: string } | { readonly text: undefined; readonly problem: string };

function readSecret(sources: SecretSources, given: z.infer<typeof reference>): Read {
  if (typeof given === 'string') {
    return { text: given };
  }
  if ('env' in given) {
    const text = sources.env[given.env];
    return text === undefined || text === ''
      ? { text: undefined, problem: `environment variable ${given.env} is not set` }
      : { text };
  }
  try {
    // An editor ends the last line; no secret ends so.
    return { text: sources.readFile(given.file).replace(/\r?\n$/, '') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { text: undefined, problem: `${given.file} cannot be read (${code})` };
  }
}
