/** What the administration answers, as its description has it. */

import { z } from 'zod';
import { keySourceSchema } from '../../../shared/access/key-schema.ts';
import { accessPoliciesSchema } from '../../../shared/access/policy-schema.ts';
import { revocationKindSchema } from '../../../shared/access/revocation-schema.ts';
import type { NamedSchema } from '../../../shared/openapi/describe-api.ts';

const version = z.int().min(0);
const seconds = z.int();

/** After a change. */
export const versionAnswer: NamedSchema = { name: 'Version', schema: z.object({ version }) };

/** All policies. */
export const policiesAnswer: NamedSchema = {
  name: 'Policies',
  schema: z.object({ version, policies: accessPoliciesSchema }),
};

/** All keys; secrets left out. */
export const keysAnswer: NamedSchema = {
  name: 'Keys',
  schema: z.object({ version, keys: z.array(keySourceSchema) }),
};

/** All revocations in force. */
export const revocationsAnswer: NamedSchema = {
  name: 'Revocations',
  schema: z.object({
    version,
    revocations: z.array(
      z.object({ kind: revocationKindSchema, id: z.string(), issuedUpTo: seconds, until: seconds }),
    ),
  }),
};

/** A page of the audit log; `next` is where the page after it begins. */
export const auditAnswer: NamedSchema = {
  name: 'AuditPage',
  schema: z.object({
    entries: z.array(
      z.object({
        seq: z.int(),
        at: seconds,
        version,
        actor: z.string(),
        action: z.string(),
        target: z.string(),
        detail: z.string(),
      }),
    ),
    next: z.int().optional(),
  }),
};
