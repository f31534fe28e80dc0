/** Verifies tokens of every kind and remembers, within bounds, those that it has verified. */

import { MAX_TOKEN_LENGTH } from '../../../shared/access/claims.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { KeySource } from '../../../shared/access/key-source.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { KeyRing } from './key-ring.ts';
import type { RemoteKeyParts } from './remote-keys.ts';
import type { KeyContext } from './verification-key.ts';
import type { Verified } from './verified.ts';
import { verifyCat } from './verify-cat.ts';
import { verifyJwt } from './verify-jwt.ts';

/** What tokens are verified against. */
export interface VerifyContext extends KeyContext {
  /** Key of tokens that name none, UTF-8 text. */
  readonly playSecret: string | undefined;
  /** A snapshot's keys: the same array as long as they have not changed. */
  readonly keys: readonly KeySource[];
}

/** Tokens remembered per isolate: a viewer asks several times a second; at most 8 MB of tokens. */
const MAX_REMEMBERED = 2000;

/** One isolate's verifier. */
export class TokenVerifier {
  readonly #ring: KeyRing;
  readonly #known = new Map<string, Verified>();

  /** Remembers nothing yet. */
  constructor(parts: RemoteKeyParts) {
    this.#ring = new KeyRing(parts);
  }

  /**
   * Tells what a token grants, or why it is no token of ours. Neither time nor revocation is judged here, but on
   * every use of the grant; what has expired, or whose key is gone, is not remembered.
   */
  async verify(token: string, context: VerifyContext): Promise<Result<Grant, Denial>> {
    if (token.length > MAX_TOKEN_LENGTH) {
      return fail({ reason: 'token-malformed', detail: `longer than ${MAX_TOKEN_LENGTH} characters` });
    }
    this.#ring.use(context.playSecret, context.keys);
    const known = this.#recall(token, context.now);
    if (known !== undefined) {
      known.key.keepFresh?.(context);
      return ok(known.grant);
    }
    const verified = await (token.includes('.') ? verifyJwt : verifyCat)(token, this.#ring, context);
    if (!verified.ok) {
      return verified;
    }
    this.#remember(token, verified.value, context.now);
    return ok(verified.value.grant);
  }

  #recall(token: string, now: number): Verified | undefined {
    const known = this.#known.get(token);
    if (known !== undefined && (!known.key.isCurrent || known.grant.expires <= now)) {
      this.#known.delete(token);
      return undefined;
    }
    return known;
  }

  #remember(token: string, verified: Verified, now: number): void {
    // A key may have gone while its token was being verified.
    if (verified.grant.expires <= now || !verified.key.isCurrent) {
      return;
    }
    if (this.#known.size >= MAX_REMEMBERED) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest ?? '');
    }
    this.#known.set(token, verified);
  }
}
