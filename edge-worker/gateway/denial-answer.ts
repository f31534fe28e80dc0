/** The one place where a denial becomes an HTTP answer: the wire says little, the log says exactly. */

import type { StreamName } from '../../shared/identifiers.ts';
import type { CatAction } from '../../shared/access/cat/cat-if.ts';
import { denialStatus, type Denial } from '../../shared/access/denial.ts';
import { errorAnswer } from '../answer.ts';
import { logEvent, type LogFacts } from '../log.ts';
import type { Misconfiguration } from './authorize.ts';

/** Answers 401 (with `WWW-Authenticate`, RFC 6750 §3), 403, 451 (RFC 7725), or 503 without a usable secret. */
export function denialAnswer(denial: Denial | Misconfiguration, stream: StreamName): Response {
  if (denial.reason === 'not-configured') {
    logEvent('error', 'playback-not-configured', { detail: denial.detail });
    return errorAnswer(503, 'not-configured', { headers: { 'retry-after': '30' } });
  }
  logEvent('info', 'playback-denied', { stream, reason: denial.reason, ...denialFacts(denial) });
  if (denial.action !== undefined) {
    return actionAnswer(denial.action);
  }
  const status = denialStatus(denial);
  switch (status) {
    case 401:
      return errorAnswer(401, 'unauthorized', { headers: { 'www-authenticate': challenge(denial) } });
    case 403:
      return errorAnswer(403, 'forbidden');
    case 429:
      return errorAnswer(429, 'too-many-sessions', { headers: { 'retry-after': '30' } });
    case 451:
      return errorAnswer(451, 'unavailable-in-your-region');
  }
}

/** Answers as the token's issuer wants it (CTA-5007-B §4.9.1). */
function actionAnswer({ status, headers }: CatAction): Response {
  return errorAnswer(status, 'denied', { headers: Object.fromEntries(headers) });
}

function challenge(denial: Denial): string {
  return denial.reason === 'token-missing'
    ? 'Bearer realm="rill"'
    : 'Bearer realm="rill", error="invalid_token"';
}

function denialFacts(denial: Denial): LogFacts {
  const { reason: _reason, action: _action, ...facts } = denial;
  return facts;
}
