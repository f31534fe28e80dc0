/** Delivers a message to a webhook, signed, so that its receiver knows that it is Rill's and of now. */

/** Longest wait for the webhook's answer, milliseconds. */
const ANSWER_LIMIT_MS = 10_000;
/** Header with the time of sending and the signature. */
const SIGNATURE_HEADER = 'x-rill-signature';
/** Header with the message's number: a message that comes again has the same. */
const DELIVERY_HEADER = 'x-rill-delivery';

/** A message on its way. */
export interface WebhookMessage {
  readonly id: string;
  readonly body: string;
}

/** `t=…,v1=…`: HMAC-SHA256 in hexadecimal under `key` of the time (Unix seconds), a full stop and the body. */
async function signMessage(key: string, body: string, now: number): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const secret = await crypto.subtle.importKey('raw', encoder.encode(key), algorithm, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', secret, encoder.encode(`${now}.${body}`));
  const hex = [...new Uint8Array(signature)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `t=${now},v1=${hex}`;
}

/** Sends a message; `undefined` when it was taken (2xx), else why not. */
export async function sendMessage(
  message: WebhookMessage,
  to: { readonly url: string; readonly key: string; readonly now: number },
): Promise<string | undefined> {
  const signature =
    to.key === '' ? {} : { [SIGNATURE_HEADER]: await signMessage(to.key, message.body, to.now) };
  try {
    const answer = await fetch(to.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [DELIVERY_HEADER]: message.id, ...signature },
      body: message.body,
      // A redirect would take the message to where nobody has configured it to go.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status}`;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError'
      ? 'did not answer in time'
      : 'is not reached';
  }
}
