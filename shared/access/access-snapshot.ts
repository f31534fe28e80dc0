/** What every edge location knows of who may watch: one immutable, versioned document. */

import type { AccessPolicies } from './policy.ts';
import type { Revocation } from './revocation.ts';
import type { KeySource } from './key-source.ts';

/** The whole of it; `version` rises with each change. */
export interface AccessSnapshot {
  readonly version: number;
  readonly policies: AccessPolicies;
  readonly keys: readonly KeySource[];
  readonly revocations: readonly Revocation[];
}
