/** The part of the origin's environment that says how ffmpeg is confined. */

import { z } from 'zod';

const MAX_ID = 65_533;

/** Variables, each with its meaning. */
export const CONFINEMENT_ENVIRONMENT = {
  RILL_FFMPEG_ISOLATION: z
    .enum(['auto', 'required', 'off'], 'is not one of auto, required, off')
    .default('auto')
    .describe(
      'ffmpeg without network and with resource limits: auto where the system allows it, required: no start without, off: never',
    ),
  RILL_FFMPEG_USER: z
    .string()
    .regex(/^[1-9][0-9]{0,4}:[1-9][0-9]{0,4}$/, 'is not UID:GID, two numbers from 1')
    .transform((text) => text.split(':').map(Number))
    .refine((ids) => ids.every((id) => id <= MAX_ID), `is not UID:GID up to ${MAX_ID}`)
    .transform(([uid = 0, gid = 0]) => ({ uid, gid }))
    .optional()
    .describe('UID:GID of ffmpeg, where the origin itself runs as root'),
  RILL_FFMPEG_MEMORY_MIB: z
    .string()
    .regex(/^[0-9]{1,7}$/, 'is not a number of MiB')
    .transform(Number)
    .prefault('8192')
    .describe('MiB of memory that one ffmpeg may take; 0: no limit'),
};

/** An example of each. */
export const CONFINEMENT_EXAMPLES: Readonly<Record<keyof typeof CONFINEMENT_ENVIRONMENT, string>> = {
  RILL_FFMPEG_ISOLATION: 'required',
  RILL_FFMPEG_USER: '1001:1001',
  RILL_FFMPEG_MEMORY_MIB: '8192',
};

/** How ffmpeg is to be confined. */
export interface ConfinementSettings {
  readonly isolation: 'auto' | 'required' | 'off';
  /** `undefined`: the origin's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** 0: no limit. */
  readonly memoryMib: number;
}

/** The settings out of the checked environment. */
export function confinementSettings(
  env: z.infer<z.ZodObject<typeof CONFINEMENT_ENVIRONMENT>>,
): ConfinementSettings {
  return {
    isolation: env.RILL_FFMPEG_ISOLATION,
    user: env.RILL_FFMPEG_USER,
    memoryMib: env.RILL_FFMPEG_MEMORY_MIB,
  };
}
