/** What a stream's settings do to a socket before its handshake, and what the handshake then came to. */

import type { LibSrt } from './libsrt.ts';
import type { SrtStreamSettings } from './settings.ts';
import {
  SRT_KM_S_SECURED,
  SRTO_ENFORCEDENCRYPTION,
  SRTO_PASSPHRASE,
  SRTO_PBKEYLEN,
  SRTO_RCVKMSTATE,
  SRTO_RCVLATENCY,
  type SrtSocket,
} from './srt-constants.ts';

/** How what arrives is encrypted. */
export type SrtEncryption = 'none' | 'aes-128' | 'aes-192' | 'aes-256';

const BITS_PER_BYTE = 8;

/** Applies a stream's settings; before the handshake is answered or begun. Throws {@link SrtCallError}. */
export function applyStreamSettings(lib: LibSrt, socket: SrtSocket, settings: SrtStreamSettings): void {
  const { passphrase, keyLength, latencyMs } = settings;
  if (latencyMs !== undefined) {
    lib.setOption(socket, SRTO_RCVLATENCY, latencyMs);
  }
  if (passphrase !== undefined) {
    lib.setOption(socket, SRTO_ENFORCEDENCRYPTION, 1);
    lib.setText(socket, SRTO_PASSPHRASE, passphrase);
  }
  if (keyLength !== undefined) {
    lib.setOption(socket, SRTO_PBKEYLEN, keyLength);
  }
}

/** Reads how a connected socket's media is encrypted. */
export function readEncryption(lib: LibSrt, socket: SrtSocket): SrtEncryption {
  if (lib.getOption(socket, SRTO_RCVKMSTATE) !== SRT_KM_S_SECURED) {
    return 'none';
  }
  const bits = lib.getOption(socket, SRTO_PBKEYLEN) * BITS_PER_BYTE;
  return bits === 256 || bits === 192 ? `aes-${bits}` : 'aes-128';
}

/** Why a connection is too weak for its stream; libsrt itself leaves the length of the key to the caller. */
export function explainWeakness(
  encryption: SrtEncryption,
  settings: SrtStreamSettings | undefined,
): string | undefined {
  if (settings?.passphrase === undefined) {
    return undefined;
  }
  if (encryption === 'none') {
    return 'the stream has a passphrase and the caller sends unencrypted';
  }
  const bits = Number(encryption.slice('aes-'.length));
  const least = (settings.keyLength ?? 0) * BITS_PER_BYTE;
  return bits < least
    ? `the caller encrypts with AES-${bits}, the stream asks for AES-${least} (pbkeylen=${least / BITS_PER_BYTE})`
    : undefined;
}

/** What is wrong with a caller whom libsrt itself refused after its stream id was accepted; it does not say. */
export function explainDrop(settings: SrtStreamSettings | undefined): string {
  return settings?.passphrase === undefined
    ? 'the handshake failed: most likely the caller encrypts, and the stream has no passphrase'
    : 'the handshake failed: most likely the passphrase of the caller is wrong or missing';
}
