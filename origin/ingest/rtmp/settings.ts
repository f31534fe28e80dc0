/** The RTMPS part of the origin's environment. */

import { z } from 'zod';
import type { CertificateFiles } from './certificate.ts';

const MAX_PORT = 65_535;
const port = z
  .string()
  .regex(/^[0-9]{1,5}$/, 'is not a port, 0 to 65535')
  .transform(Number)
  .pipe(z.number().max(MAX_PORT, 'is not a port, 0 to 65535'));

/** Variables of RTMPS; each with its meaning. */
export const RTMPS_ENVIRONMENT = {
  RILL_RTMPS_PORT: port.optional().describe('TCP port of RTMPS (RTMP over TLS); off without it'),
  RILL_RTMPS_CERT: z.string().optional().describe('PEM file with the certificate of RTMPS and its chain'),
  RILL_RTMPS_KEY: z.string().optional().describe("PEM file with the certificate's private key, unencrypted"),
};

/** An example of each. */
export const RTMPS_EXAMPLES: Readonly<Record<keyof typeof RTMPS_ENVIRONMENT, string>> = {
  RILL_RTMPS_PORT: '1936',
  RILL_RTMPS_CERT: '/etc/rill/tls/fullchain.pem',
  RILL_RTMPS_KEY: '/etc/rill/tls/privkey.pem',
};

/** Where RTMPS listens, and with which certificate. */
export interface RtmpsSettings {
  readonly port: number;
  readonly files: CertificateFiles;
}

type RtmpsVariables = z.infer<z.ZodObject<typeof RTMPS_ENVIRONMENT>>;

/** The settings of RTMPS; `undefined` where it is off. */
export function rtmpsSettings(env: RtmpsVariables): RtmpsSettings | undefined {
  const { RILL_RTMPS_PORT, RILL_RTMPS_CERT, RILL_RTMPS_KEY } = env;
  return RILL_RTMPS_PORT === undefined || RILL_RTMPS_CERT === undefined || RILL_RTMPS_KEY === undefined
    ? undefined
    : { port: RILL_RTMPS_PORT, files: { certificate: RILL_RTMPS_CERT, key: RILL_RTMPS_KEY } };
}

/** Refuses a port without certificate and key, and the reverse: nobody shall believe that TLS is on. */
export function refineRtmps(env: RtmpsVariables, context: z.RefinementCtx): void {
  const given = [env.RILL_RTMPS_PORT, env.RILL_RTMPS_CERT, env.RILL_RTMPS_KEY];
  if (given.every((value) => value === undefined)) {
    return;
  }
  for (const [index, name] of ['RILL_RTMPS_PORT', 'RILL_RTMPS_CERT', 'RILL_RTMPS_KEY'].entries()) {
    if (given[index] === undefined) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is missing: RTMPS needs port, certificate and key',
      });
    }
  }
}
