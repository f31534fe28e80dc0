/** Signatures of webhook messages as Standard Webhooks 1.0 has them, so that its libraries verify them. */

import { createHmac } from 'node:crypto';

/** Headers of one message: `webhook-id`, `webhook-timestamp` (Unix seconds), `webhook-signature`. */
export function signedHeaders(input: {
  readonly id: string;
  readonly body: string;
  /** Unix seconds of this try. */
  readonly timestamp: number;
  readonly secrets: readonly Uint8Array[];
}): Readonly<Record<string, string>> {
  const { id, body, timestamp, secrets } = input;
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  );
  return {
    'content-type': 'application/json',
    'user-agent': 'rill-webhooks/1',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
