/** Routes on the publish keys of a stream: hashes are listed, a new key is told once. */

import { z } from 'zod';
import type { StreamName } from '#shared/identifiers.ts';
import { hashPublishKey, publishKey } from '../../ingest/access/publish-keys.ts';
import { keysAnswer, newKeyAnswer } from './answer-schemas.ts';
import {
  answerJson,
  forStream,
  refusal,
  takes,
  type ControlCall,
  type ControlRoute,
} from './control-route.ts';
import { tooMany } from './stream-routes.ts';

/** How long an old key is good for unless said otherwise, seconds: time to reach the encoder. */
const DEFAULT_GRACE_SECONDS = 3_600;
const MAX_GRACE_SECONDS = 30 * 24 * 3_600;

const rotateSchema = z.strictObject({
  graceSeconds: z
    .number()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .default(DEFAULT_GRACE_SECONDS)
    .describe('for so long the keys before are good; 0: no more'),
});

/** Routes below `/v1/streams/{stream}/keys`. */
export const keyRoutes: readonly ControlRoute[] = [
  {
    method: 'GET',
    path: '/streams/{stream}/keys',
    summary: 'Hashes of the publish keys that open a stream.',
    answer: keysAnswer,
    handle: (call) => forStream(call, (stream) => answerJson({ keys: listKeys(call, stream) })),
  },
  {
    method: 'POST',
    path: '/streams/{stream}/keys/rotate',
    summary: 'Makes a new publish key, told in this answer alone; those before stay good for a grace time.',
    answer: newKeyAnswer,
    ...takes('Rotate', rotateSchema, (call, { graceSeconds }) =>
      forStream(call, (stream) => rotate(call, stream, graceSeconds * 1_000)),
    ),
  },
];

function listKeys({ parts }: ControlCall, stream: StreamName): readonly object[] {
  const { publish, publishSecret } = parts.settings.current;
  const fromFile = publish.keys.get(stream);
  if (fromFile !== undefined) {
    return fromFile.map((hash) => ({ hash, source: 'file', validUntil: null }));
  }
  const own = parts.declared.validKeys(stream);
  return own.length === 0
    ? [{ hash: hashPublishKey(publishKey(publishSecret, stream)), source: 'derived', validUntil: null }]
    : own.map(({ hash, validUntil }) => ({
        ...{ hash, source: 'api' },
        validUntil: validUntil === undefined ? null : new Date(validUntil).toISOString(),
      }));
}

async function rotate({ parts }: ControlCall, stream: StreamName, graceMs: number): Promise<Response> {
  const { publish, publishSecret } = parts.settings.current;
  if (publish.keys.has(stream)) {
    return refusal(
      409,
      'in-configuration',
      'the configuration file has the keys of this stream: rotate them there',
    );
  }
  const rotated = await parts.declared.rotate(stream, { graceMs, publishSecret });
  const previousValidUntil = new Date(parts.now() + graceMs).toISOString();
  return rotated.ok ? answerJson({ ...rotated.value, previousValidUntil }) : tooMany(rotated.failure.limit);
}
