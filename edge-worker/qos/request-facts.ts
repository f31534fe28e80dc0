/** What the platform tells of the request that brought a point. */

import type { QosPoint } from '../../shared/qos/schema.ts';
import { classifyAgent } from './user-agent.ts';

/** The columns that a request fills. */
export type RequestFacts = Pick<
  QosPoint,
  'country' | 'region' | 'asn' | 'colo' | 'protocol' | 'rtt_ms' | 'device' | 'browser' | 'os'
>;

/** Reads `request.cf` and the user agent; the address stays unread. */
export function requestFacts(request: Request): RequestFacts {
  const text = (name: string): string => {
    const value: unknown = request.cf?.[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const rtt: unknown = request.cf?.['clientTcpRtt'] ?? request.cf?.['clientQuicRtt'];
  return {
    country: text('country'),
    region: text('regionCode'),
    asn: text('asn'),
    colo: text('colo'),
    protocol: text('httpProtocol'),
    rtt_ms: typeof rtt === 'number' ? rtt : 0,
    ...classifyAgent(request.headers.get('user-agent')),
  };
}
