/** Base64url (RFC 4648 §5) in the one spelling that bytes have: unused bits are zero, nothing else is in between. */

import { base64url } from 'jose';

const ALPHABET = /^[A-Za-z0-9_-]*$/;
/** Last characters whose four or two unused bits are zero. */
const LAST_OF_ONE_BYTE = 'AQgw';
const LAST_OF_TWO_BYTES = 'AEIMQUYcgkosw048';

/** Decodes; `undefined` for what no encoder writes. Else one token had many names, for caches and for whoever logs. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  if (!ALPHABET.test(text) || !isCanonical(text)) {
    return undefined;
  }
  return base64url.decode(text);
}

function isCanonical(text: string): boolean {
  const last = text.at(-1) ?? '';
  switch (text.length % 4) {
    case 0:
      return true;
    case 2:
      return LAST_OF_ONE_BYTE.includes(last);
    case 3:
      return LAST_OF_TWO_BYTES.includes(last);
    default:
      return false;
  }
}
