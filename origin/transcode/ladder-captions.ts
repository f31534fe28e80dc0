/** Closed captions of a ladder as they stand in configuration. */

import { z } from 'zod';

/** Most caption channels: four of CEA-608 and some services of CEA-708. */
const MAX_CHANNELS = 8;

const channel = z.strictObject({
  channel: z
    .string()
    .regex(/^(?:CC[1-4]|SERVICE(?:[1-9]|[1-5][0-9]|6[0-3]))$/, {
      message: 'expected CC1 to CC4 or SERVICE1 to SERVICE63',
    })
    .describe('CC1 to CC4 (CEA-608) or SERVICE1 to SERVICE63 (CEA-708)'),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/, {
      message: 'expected a language tag such as en or pt-BR',
    })
    .optional()
    .describe('RFC 5646'),
  name: z
    .string()
    .regex(/^[^"\r\n]{1,64}$/, { message: 'expected 1 to 64 characters, no quotation mark' })
    .optional()
    .describe('what players show'),
});

const channels = z
  .array(channel)
  .min(1)
  .max(MAX_CHANNELS)
  .refine(
    (list) => new Set(list.map((each) => each.channel)).size === list.length,
    'a channel is there twice',
  )
  .refine(
    (list) => new Set(list.map((each) => each.name ?? each.channel)).size === list.length,
    'names of caption channels must differ',
  );

/** The key `captions` of a ladder. */
export const captionsSchema = z
  .union([z.enum(['auto', 'none']), channels])
  .default('auto')
  .describe('auto: the channels that the first pictures carry; none; or the channels with language and name');

/** Captions as configured. */
export type CaptionSettings = z.infer<typeof captionsSchema>;
