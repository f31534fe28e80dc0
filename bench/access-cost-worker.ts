/**
 * Runs in workerd for `access-cost.ts`: judges tokens many times over within one request. Time stands still inside
 * of a request, so the clock is on the other side.
 */

import { checkGrant } from '../shared/access/check-grant.ts';
import type { TokenAlgorithm } from '../shared/access/key-source.ts';
import type { Place } from '../shared/access/place.ts';
import { sessionRequest } from './access-cost-request.ts';
import { parseStreamName } from '../shared/identifiers.ts';
import {
  makeKey,
  makeVerifier,
  signCat,
  signJwt,
  type IssuerKey,
} from '../edge-worker/access/verify/testing/issuer.ts';

/** Ready to be measured: each call judges one request. */
interface Case {
  readonly judge: (index: number) => Promise<boolean>;
  /** To be called before each batch. */
  readonly forget: () => Promise<void>;
}

const PLACE: Place = { country: 'DE', continent: 'EU', region: 'DE-BY', asn: 64_500, address: '192.0.2.7' };
const REQUEST = {
  url: new URL('https://edge.example/live/show/'),
  method: 'GET',
  header: () => null,
  alpn: 'h2',
};

const cases = new Map<string, Case>();
const stream = parseStreamName('show');

const worker = {
  /** `/{case}/{batch}`: judges a batch; answers how many were granted. */
  async fetch(request: Request): Promise<Response> {
    const [, name = '', batch = '0'] = new URL(request.url).pathname.split('/');
    const ready = cases.get(name) ?? (await prepare(name, Number(batch)));
    cases.set(name, ready);
    if (request.method === 'POST') {
      await ready.forget();
      return new Response('ready');
    }
    let granted = 0;
    for (let index = 0; index < Number(batch); index++) {
      granted += (await ready.judge(index)) ? 1 : 0;
    }
    return new Response(String(granted));
  },
};

/** `{kind}-{algorithm}-{known|first}`, `request`: all that a request is judged by, or `nothing`: the loop alone. */
async function prepare(name: string, batch: number): Promise<Case> {
  const [kind, algorithm, seen] = name.split('-');
  if (kind === 'nothing') {
    return { judge: async () => true, forget: async () => undefined };
  }
  if (kind === 'request') {
    return { judge: await sessionRequest(), forget: async () => undefined };
  }
  const known = ['HS256', 'ES256', 'RS256', 'EdDSA'].find((one) => one === algorithm) as TokenAlgorithm;
  const key = await makeKey(known, 'k1');
  const make = kind === 'cat' ? makeCat : makeJwt;
  const count = seen === 'known' ? 1 : batch;
  const tokens = await Promise.all(Array.from({ length: count }, (_, index) => make(key, index)));
  const warm = await make(key, batch);
  let made = makeVerifier([key.source]);
  return {
    judge: async (index) => {
      const verified = await made.verifier.verify(tokens[index % tokens.length] ?? '', made.context);
      if (!verified.ok || !stream.ok) {
        return false;
      }
      const grant = verified.value;
      return checkGrant({
        grant,
        stream: stream.value,
        place: PLACE,
        now: made.context.now,
        request: REQUEST,
      }).ok;
    },
    // A new verifier knows no token; its keys are imported by one.
    forget: async () => {
      made = makeVerifier([key.source]);
      await made.verifier.verify(warm, made.context);
    },
  };
}

async function makeJwt(key: IssuerKey, index: number): Promise<string> {
  const claims = {
    jti: `token-${index}`,
    sub: `viewer-${index}`,
    country: ['DE', 'FR'],
    prefix: ['192.0.2.0/24'],
  };
  return signJwt(key, { ...claims, maxHeight: 720 });
}

async function makeCat(key: IssuerKey, index: number): Promise<string> {
  const claims = new Map<number, unknown>([
    [7, Uint8Array.of(index >> 8, index & 255)],
    [312, new Map([[3, new Map([[1, '/live/']])]])],
    [313, ['GET', 'HEAD']],
    [316, ['DE', 'FR']],
  ]);
  return signCat({ ...key, keyId: 'k1' }, claims);
}

// The Workers runtime finds a Worker by its default export.
// oxlint-disable-next-line import/no-default-export
export default worker;
