/** Policies of the administration. */

import { z } from 'zod';
import { decidePolicy, streamPolicy } from '../../../shared/access/decide-policy.ts';
import type { Place } from '../../../shared/access/place.ts';
import {
  accessPoliciesSchema,
  instantSchema,
  streamNameSchema,
  streamPolicySchema,
} from '../../../shared/access/policy-schema.ts';
import { errorAnswer } from '../../answer.ts';
import {
  answerChange,
  answerReading,
  jsonAnswer,
  takes,
  type AdminCall,
  type AdminRoute,
} from './admin-route.ts';
import { policiesAnswer, versionAnswer } from './answer-schemas.ts';

const placeText = z.string().max(64).optional();
const questionSchema = z.strictObject({
  stream: streamNameSchema,
  place: z.strictObject({
    country: placeText,
    continent: placeText,
    region: placeText,
    asn: z.int().optional(),
    address: placeText,
  }),
  /** Now unless given. */
  at: instantSchema.optional(),
});
const decisionAnswer = {
  name: 'Decision',
  schema: z.union([
    z.object({ kind: z.literal('allow'), maxHeight: z.int().optional() }),
    z.object({ kind: z.literal('deny'), rule: z.string() }),
  ]),
};

/** Routes below `/v1/admin/policies`. */
export const policyRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/policies',
    summary: 'All policies and their version.',
    answer: policiesAnswer,
    handle: async (call) => {
      const reading = await call.registry.read(call.by);
      const version = reading.kind === 'read' ? reading.value.version : undefined;
      return answerReading(
        reading,
        (value) => ({ version: value.version, policies: value.policies }),
        version,
      );
    },
  },
  {
    method: 'PUT',
    path: '/policies',
    summary: 'Puts these in place of all policies.',
    answer: versionAnswer,
    ...takes('AccessPolicies', accessPoliciesSchema, (call, policies) =>
      answerChange(call, { kind: 'put-policies', policies }),
    ),
  },
  {
    method: 'POST',
    path: '/policies/decision',
    summary: 'What the policies in force say of a place, without a token.',
    answer: decisionAnswer,
    ...takes('Question', questionSchema, async (call, { stream, place, at }) => {
      const reading = await call.registry.read(call.by);
      return answerReading(reading, ({ policies }) =>
        decidePolicy(streamPolicy(policies, stream), fullPlace(place), at ?? call.now),
      );
    }),
  },
  {
    method: 'PUT',
    path: '/policies/default',
    summary: 'Puts the policy of streams without one of their own.',
    answer: versionAnswer,
    ...takes('StreamPolicy', streamPolicySchema, (call, policy) =>
      answerChange(call, { kind: 'put-default-policy', policy }),
    ),
  },
  {
    method: 'GET',
    path: '/policies/streams/{stream}',
    summary: "A stream's own policy.",
    answer: { name: 'StreamPolicy', schema: streamPolicySchema },
    handle: answerStreamPolicy,
  },
  {
    method: 'PUT',
    path: '/policies/streams/{stream}',
    summary: "Puts a stream's own policy, which stands in place of the default.",
    answer: versionAnswer,
    ...takes('StreamPolicy', streamPolicySchema, async (call, policy) => {
      const stream = streamNameSchema.safeParse(call.parameter('stream'));
      return stream.success
        ? answerChange(call, { kind: 'put-stream-policy', stream: stream.data, policy })
        : errorAnswer(400, 'invalid-name', { detail: 'a stream is named a to z, 0 to 9, - and _' });
    }),
  },
  {
    method: 'DELETE',
    path: '/policies/streams/{stream}',
    summary: "Removes a stream's own policy: the default holds.",
    answer: versionAnswer,
    handle: (call) => answerChange(call, { kind: 'delete-stream-policy', stream: call.parameter('stream') }),
  },
];

async function answerStreamPolicy(call: AdminCall): Promise<Response> {
  const reading = await call.registry.read(call.by);
  if (reading.kind === 'revoked') {
    return answerReading(reading, () => ({}));
  }
  const { policies, version } = reading.value;
  const stream = call.parameter('stream');
  const policy = Object.hasOwn(policies.streams, stream) ? policies.streams[stream] : undefined;
  return policy === undefined ? errorAnswer(404, 'not-found') : jsonAnswer(policy, version);
}

function fullPlace(place: z.infer<typeof questionSchema>['place']): Place {
  return {
    country: place.country,
    continent: place.continent,
    region: place.region,
    asn: place.asn,
    address: place.address,
  };
}
