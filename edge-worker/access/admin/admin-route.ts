/** What a route of the administration is: how it is described, and what it does. */

import { z } from 'zod';
import type { DescribedRoute, NamedSchema } from '../../../shared/openapi/describe-api.ts';
import { errorAnswer } from '../../answer.ts';
import type { Bearer, ChangeOutcome, Reading, Registry } from '../registry/access-registry.ts';
import type { RegistryChange } from '../registry/registry-change.ts';
import type { ViewerSessionObjects } from '../sessions/session-keeper.ts';

/** A request that has been authorized. */
export interface AdminCall {
  readonly registry: Registry;
  /** The viewers' objects; `undefined` where they are not bound. */
  readonly sessions: ViewerSessionObjects | undefined;
  readonly by: Bearer;
  /** A part of the path by its name in braces, decoded. */
  readonly parameter: (name: string) => string;
  readonly query: URLSearchParams;
  /** The version in `If-Match`, if any: a change is made to that one alone (RFC 9110 §13.1.1). */
  readonly expected: number | undefined;
  /** Unix seconds. */
  readonly now: number;
}

/** A route; `handle` gets the body's JSON, if the route has one. */
export interface AdminRoute extends DescribedRoute {
  readonly answer: NamedSchema;
  readonly handle: (call: AdminCall, body: unknown) => Promise<Response>;
}

/** A body and its handler: what the schema does not read is refused, and said why. */
export function takes<T>(
  name: string,
  schema: z.ZodType<T>,
  handle: (call: AdminCall, body: T) => Promise<Response>,
): Pick<AdminRoute, 'body' | 'handle'> {
  return {
    body: { name, schema },
    handle: async (call, json) => {
      const body = schema.safeParse(json);
      return body.success
        ? handle(call, body.data)
        : errorAnswer(400, 'invalid', { detail: z.prettifyError(body.error) });
    },
  };
}

/** Makes a change and answers with the version it made. */
export async function answerChange(call: AdminCall, change: RegistryChange): Promise<Response> {
  const outcome = await call.registry.change(change, call.by, call.expected);
  return changeAnswer(outcome);
}

/** Answers with what was read; the version is its entity tag. */
export function answerReading<T>(
  reading: Reading<T>,
  render: (value: T) => object,
  version?: number,
): Response {
  return reading.kind === 'revoked' ? revokedAnswer() : jsonAnswer(render(reading.value), version);
}

/** Answers in JSON, never cached. */
export function jsonAnswer(body: object, version?: number): Response {
  const headers = new Headers({ 'cache-control': 'no-store' });
  if (version !== undefined) {
    headers.set('etag', `"${version}"`);
  }
  return Response.json(body, { headers });
}

function changeAnswer(outcome: ChangeOutcome): Response {
  switch (outcome.kind) {
    case 'changed':
      return jsonAnswer({ version: outcome.version }, outcome.version);
    case 'conflict':
      return errorAnswer(412, 'version-conflict', {
        detail: `version ${outcome.version} is in force: read it, and change that`,
      });
    case 'revoked':
      return revokedAnswer();
    case 'refused':
      return refusedAnswer(outcome);
  }
}

function refusedAnswer({ failure }: Extract<ChangeOutcome, { readonly kind: 'refused' }>): Response {
  switch (failure.reason) {
    case 'not-found':
      return errorAnswer(404, 'not-found');
    case 'too-many':
      return errorAnswer(409, 'too-many', {
        detail: `at most ${failure.limit} ${failure.of}: remove some first`,
      });
    case 'too-large':
      return errorAnswer(413, 'too-large', {
        detail: `policies, keys and revocations have at most ${failure.limit} characters together`,
      });
  }
}

function revokedAnswer(): Response {
  return errorAnswer(401, 'unauthorized', {
    headers: { 'www-authenticate': 'Bearer realm="rill-admin", error="invalid_token"' },
  });
}
