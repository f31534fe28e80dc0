/** What tests of the edge share: tokens signed like an issuer's, and an environment around a scripted hub. */

import { SignJWT } from 'jose';
import type { Env, Hubs } from '../env.ts';

/** Key of the tests' tokens. */
export const PLAY_SECRET = 'a key for tests that is long enough';
/** Service token of the tests' origin. */
export const SERVICE_TOKEN = 'service-token-for-tests';
/** The tests' present, Unix seconds. */
export const NOW = 1_800_000_000;

/** Signs a playback token for stream `show` that holds for a minute; `claims` override. */
export async function signToken(claims: Record<string, unknown> = {}, secret = PLAY_SECRET): Promise<string> {
  return new SignJWT({ stream: 'show', exp: NOW + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}

/** Hubs that all answer with one function. */
export function scriptedHubs(answer: (request: Request) => Response | Promise<Response>): Hubs {
  return {
    getByName: () => ({ fetch: async (input, init) => answer(new Request(input, init)) }),
  };
}

/** An environment with secrets set and bindings that refuse to be used, but for those given. */
export function testEnv(bindings: Partial<Env>): Env {
  const refused = (): never => {
    throw new Error('the test gave no such binding');
  };
  return {
    MEDIA: bindings.MEDIA ?? refusingBucket(refused),
    HUB: bindings.HUB ?? { getByName: refused },
    ASSETS: bindings.ASSETS ?? { fetch: refused },
    RILL_PLAY_SECRET: PLAY_SECRET,
    RILL_SERVICE_TOKEN: SERVICE_TOKEN,
    ...bindings,
  };
}

function refusingBucket(refused: () => never): Env['MEDIA'] {
  return {
    get: refused,
    head: refused,
    put: refused,
    delete: refused,
    list: refused,
    createMultipartUpload: refused,
    resumeMultipartUpload: refused,
  };
}
