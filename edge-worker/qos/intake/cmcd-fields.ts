/** The keys of CMCD (CTA-5004, CTA-5004-A) that the QoS table has columns for; a value of a wrong type is none. */

import { z } from 'zod';

/** Longest CMCD text of a request that is looked at, characters. */
export const MAX_CMCD_LENGTH = 4_096;
const KILO = 1_000;
const MAX_MS = 86_400_000;

const text = (length: number) => z.string().min(1).max(length).optional().catch(undefined);
const number = (largest: number) =>
  z.preprocess(firstOf, z.number().min(0).max(largest).optional().catch(undefined));

const fieldsSchema = z.object({
  sid: text(64),
  cid: text(64),
  /** Kind of event, and the player's state. */
  e: text(8),
  sta: text(8),
  ts: number(9_999_999_999_999),
  sn: number(Number.MAX_SAFE_INTEGER),
  br: number(10_000_000),
  mtp: number(10_000_000),
  bl: number(MAX_MS),
  ltc: number(MAX_MS),
  msd: number(MAX_MS),
  pr: number(16),
  df: number(1_000_000_000),
  bs: z.boolean().optional().catch(undefined),
  su: z.boolean().optional().catch(undefined),
  ec: z.preprocess(firstOf, text(64)),
});
/** What one CMCD report says, bit rates in kbit/s as it has them. */
export type CmcdFields = z.infer<typeof fieldsSchema>;

/** Takes the known keys out of decoded CMCD. */
export function readCmcdFields(decoded: unknown): CmcdFields {
  return fieldsSchema.catch({}).parse(decoded);
}

/** The columns that an event has from CMCD whatever its kind. */
export function measuredBy(fields: CmcdFields): {
  readonly bitrate: number;
  readonly throughput: number;
  readonly bufferMs: number;
  readonly latencyMs: number;
  readonly playedRate: number;
} {
  return {
    bitrate: (fields.br ?? 0) * KILO,
    throughput: (fields.mtp ?? 0) * KILO,
    bufferMs: fields.bl ?? 0,
    latencyMs: fields.ltc ?? 0,
    playedRate: fields.pr ?? 1,
  };
}

/** Version 2 writes lists, one value for each kind of media; the first stands for the picture. */
function firstOf(value: unknown): unknown {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' && first !== null && 'value' in first ? first.value : first;
}
