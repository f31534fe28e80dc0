/** The certificate of the RTMPS port: read from its files, and read again when they change. */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { fail, ok, type Result } from '#shared/result.ts';
import type { Log } from '../../log.ts';

/** PEM files: the certificate with its chain, and its private key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that fits its key. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Why there is no certificate; `detail` names file and remedy, and nothing of the key. */
export type CertificateFailure = { readonly reason: 'unusable-certificate'; readonly detail: string };

/**
 * How often the files are read again, milliseconds. They are read rather than watched: renewals replace files or
 * the directory's link to them, which a watch on the old file does not see.
 */
const RELOAD_INTERVAL_MS = 5_000;

/** Reads the files and checks that certificate and key belong together. */
export async function readCertificate(
  files: CertificateFiles,
): Promise<Result<Certificate, CertificateFailure>> {
  const [cert, key] = await Promise.all([readPem(files.certificate), readPem(files.key)]);
  if (!cert.ok) {
    return cert;
  }
  if (!key.ok) {
    return key;
  }
  try {
    createSecureContext({ cert: cert.value, key: key.value });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return unusable(
      `${files.certificate} and ${files.key} are no PEM certificate with its key (${code}): ` +
        'give the certificate with its chain in one file, and the key that belongs to it in the other, unencrypted',
    );
  }
  return ok({ cert: cert.value, key: key.value });
}

/** Calls `use` whenever the files hold another usable certificate than before; what is unusable is told once. */
export function followCertificate(options: {
  readonly files: CertificateFiles;
  readonly current: Certificate;
  readonly use: (certificate: Certificate) => void;
  readonly log: Log;
  readonly intervalMs?: number | undefined;
}): { stop(): void } {
  let { current } = options;
  let complaint = '';
  let busy = false;
  async function look(): Promise<void> {
    const read = await readCertificate(options.files);
    if (!read.ok) {
      if (complaint !== read.failure.detail) {
        complaint = read.failure.detail;
        options.log.warn(`the RTMPS certificate is kept as it was: ${complaint}`);
      }
      return;
    }
    complaint = '';
    if (!read.value.cert.equals(current.cert) || !read.value.key.equals(current.key)) {
      current = read.value;
      options.use(current);
      options.log.info('the RTMPS certificate was renewed; connections that are open keep theirs');
    }
  }
  const timer = setInterval(() => {
    if (!busy) {
      busy = true;
      void look().finally(() => {
        busy = false;
      });
    }
  }, options.intervalMs ?? RELOAD_INTERVAL_MS);
  return { stop: () => clearInterval(timer) };
}

async function readPem(path: string): Promise<Result<Buffer, CertificateFailure>> {
  try {
    return ok(await readFile(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return unusable(`${path} cannot be read (${code}): correct the path or the file's permissions`);
  }
}

function unusable(detail: string): { readonly ok: false; readonly failure: CertificateFailure } {
  return fail({ reason: 'unusable-certificate', detail });
}
