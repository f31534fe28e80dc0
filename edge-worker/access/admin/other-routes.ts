/** Keys, revocations and the audit log of the administration. */

import { keySourceId, keySourceSchema, withoutSecret } from '../../../shared/access/key-schema.ts';
import {
  revocationAt,
  revocationKindSchema,
  revocationRequestSchema,
} from '../../../shared/access/revocation-schema.ts';
import { errorAnswer } from '../../answer.ts';
import { answerChange, answerReading, takes, type AdminCall, type AdminRoute } from './admin-route.ts';
import { auditAnswer, keysAnswer, revocationsAnswer, versionAnswer } from './answer-schemas.ts';

/** Entries of a page of the audit log, unless asked for fewer or more, and at most. */
const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

/** Routes below `/v1/admin/keys`, `/v1/admin/revocations` and `/v1/admin/audit`. */
export const otherRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/keys',
    summary: 'All keys that verify tokens, without their secrets.',
    answer: keysAnswer,
    handle: async (call) =>
      answerReading(await call.registry.read(call.by), ({ version, keys }) => ({
        version,
        keys: keys.map((key) => ({ id: keySourceId(key), ...withoutSecret(key) })),
      })),
  },
  {
    method: 'POST',
    path: '/keys',
    summary: 'Adds a key or a list of keys, or replaces the one of that id.',
    answer: versionAnswer,
    ...takes('KeySource', keySourceSchema, (call, key) => answerChange(call, { kind: 'put-key', key })),
  },
  {
    method: 'DELETE',
    path: '/keys/{id}',
    summary: 'Removes a key by its id, or a list of keys by its URL.',
    answer: versionAnswer,
    handle: (call) => answerChange(call, { kind: 'delete-key', id: call.parameter('id') }),
  },
  {
    method: 'GET',
    path: '/revocations',
    summary: 'All revocations in force.',
    answer: revocationsAnswer,
    handle: async (call) =>
      answerReading(await call.registry.read(call.by), ({ version, revocations }) => ({
        version,
        revocations: revocations.filter(({ until }) => until > call.now),
      })),
  },
  {
    method: 'POST',
    path: '/revocations',
    summary: 'Revokes a token, a session or a viewer.',
    answer: versionAnswer,
    ...takes('RevocationRequest', revocationRequestSchema, (call, request) =>
      answerChange(call, { kind: 'revoke', revocation: revocationAt(request, call.now) }),
    ),
  },
  {
    method: 'DELETE',
    path: '/revocations/{kind}/{id}',
    summary: 'Takes a revocation back.',
    answer: versionAnswer,
    handle: deleteRevocation,
  },
  {
    method: 'GET',
    path: '/audit',
    summary: 'Changes, newest first.',
    query: {
      before: 'entries whose seq is smaller',
      limit: `at most so many, ${DEFAULT_PAGE} unless given, up to ${MAX_PAGE}`,
    },
    answer: auditAnswer,
    handle: answerAudit,
  },
];

async function deleteRevocation(call: AdminCall): Promise<Response> {
  const what = revocationKindSchema.safeParse(call.parameter('kind'));
  return what.success
    ? answerChange(call, { kind: 'delete-revocation', what: what.data, id: call.parameter('id') })
    : errorAnswer(404, 'not-found', { detail: 'a token, a session or a viewer is revoked' });
}

async function answerAudit(call: AdminCall): Promise<Response> {
  const before = readCount(call.query.get('before'), Number.MAX_SAFE_INTEGER);
  const limit = readCount(call.query.get('limit'), DEFAULT_PAGE);
  if (before === undefined || limit === undefined || limit < 1) {
    return errorAnswer(400, 'invalid-query', { detail: 'before and limit are positive integers' });
  }
  const page = { before, limit: Math.min(limit, MAX_PAGE) };
  return answerReading(await call.registry.auditLog(call.by, page), (entries) => {
    const last = entries.at(-1);
    return { entries, ...(last === undefined || entries.length < page.limit ? {} : { next: last.seq }) };
  });
}

function readCount(text: string | null, standard: number): number | undefined {
  if (text === null) {
    return standard;
  }
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
