/** RTMPS ingest: the same RTMP behind TLS, on a port of its own. */

import { createServer } from 'node:tls';
import { followCertificate, readCertificate, type CertificateFiles } from './certificate.ts';
import { ConnectionTable, peerAddress, type ConnectionTableOptions } from './connection-table.ts';
import { listen, SOCKET_OPTIONS, type ListenAddress, type RtmpServer } from './listen.ts';

/** What an RTMPS server needs. */
export interface RtmpsServerOptions extends ListenAddress, ConnectionTableOptions {
  readonly files: CertificateFiles;
  /** How often the files are read again, milliseconds; 5 s by default. */
  readonly reloadMs?: number;
}

/** Thrown when the certificate cannot be used at the start; the message names file and remedy. */
class RtmpsCertificateError extends Error {
  override readonly name = 'RtmpsCertificateError';
  readonly code = 'rtmps-certificate-unusable';
}

/**
 * Listens for encoders over TLS 1.2 and 1.3; rejects with `RtmpListenError` or `RtmpsCertificateError`. A
 * connection counts from its first packet on, so that half a TLS handshake is not for free.
 */
export async function startRtmpsServer(options: RtmpsServerOptions): Promise<RtmpServer> {
  const { host, log, files } = options;
  const certificate = await readCertificate(files);
  if (!certificate.ok) {
    throw new RtmpsCertificateError(`RTMPS: ${certificate.failure.detail}`);
  }
  const connections = new ConnectionTable(options);
  const server = createServer({
    ...SOCKET_OPTIONS,
    ...certificate.value,
    minVersion: 'TLSv1.2',
    handshakeTimeout: connections.limits.handshakeMs,
  });
  server.on('connection', (socket) => connections.admit(socket));
  server.on('secureConnection', (socket) => connections.serve(socket));
  server.on('tlsClientError', (error, socket) => {
    const remoteAddress = peerAddress(socket);
    log.warn({ remoteAddress }, `RTMPS connection ended: ${describeTlsError(error)}`);
  });
  const port = await listen(server, options, { protocol: 'RTMPS', setting: 'RILL_RTMPS_PORT' });
  server.on('error', (error) => log.error({ err: error }, 'the RTMPS port failed to accept'));
  const following = followCertificate({
    ...{ files, log, current: certificate.value, intervalMs: options.reloadMs },
    use: (renewed) => server.setSecureContext({ ...renewed, minVersion: 'TLSv1.2' }),
  });
  log.info({ host, port }, 'RTMPS listens');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        following.stop();
        server.close(() => resolve());
        connections.closeAll('the origin is stopping');
      }),
  };
}

/** Says what a failed TLS handshake means, by the names of OpenSSL's errors. */
function describeTlsError(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  if (
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|BAD_RECORD_TYPE|UNKNOWN_PROTOCOL/.test(code)
  ) {
    return 'not TLS, as from an encoder set to rtmp://; this port takes rtmps://, plain RTMP has its own port';
  }
  if (/ALERT_.*(UNKNOWN_CA|CERTIFICATE)/.test(code)) {
    return `the encoder does not trust the certificate (${code}): use one of a public authority, with its chain and for the name in the encoder's address`;
  }
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|ALERT_PROTOCOL_VERSION/.test(code)) {
    return 'the encoder speaks no TLS 1.2: update it, or publish over SRT with a passphrase';
  }
  return code === 'ERR_TLS_HANDSHAKE_TIMEOUT'
    ? 'the TLS handshake did not come in time'
    : `the TLS handshake failed (${code || error.message})`;
}
