/** The addresses of an instance, as people paste them into encoders and players. */

import type { StreamName } from '#shared/identifiers.ts';

/** Ports of an instance. */
export interface Ports {
  readonly edge: number;
  readonly rtmp: number;
  readonly srt: number;
  readonly control: number;
}

/** Where an instance is reached. */
export interface Location {
  /** Address that it listens on. */
  readonly host: string;
  readonly ports: Ports;
  /** Address of an edge that is deployed elsewhere. */
  readonly edge?: string | undefined;
}

/** Protocols of a publish URL. */
export type PublishProtocol = 'rtmp' | 'srt';

/** Ports unless flags say otherwise. */
export const DEFAULT_PORTS: Ports = { edge: 8080, rtmp: 1935, srt: 9000, control: 8081 };
/** Address unless a flag says otherwise. */
export const DEFAULT_HOST = '127.0.0.1';

const WILDCARDS: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/** True when the address means every interface of the machine. */
export function isWildcard(host: string): boolean {
  return WILDCARDS.has(host);
}

/** The address as a host of a URL; one that listens everywhere is reached on the loopback interface. */
function urlHost(host: string): string {
  const reachable = WILDCARDS.get(host) ?? host;
  return reachable.includes(':') ? `[${reachable}]` : reachable;
}

/** Root of the edge, without a trailing slash. */
export function edgeUrl({ host, ports, edge }: Location): string {
  return edge?.replace(/\/+$/, '') ?? `http://${urlHost(host)}:${ports.edge}`;
}

/** Root of the control API, without a trailing slash. */
export function controlUrl({ host, ports }: Location): string {
  return `http://${urlHost(host)}:${ports.control}`;
}

/** The multivariant playlist with the token in the path, so that relative URIs inherit it. */
export function playUrl(location: Location, stream: StreamName, token: string): string {
  return `${edgeUrl(location)}/t/${token}/live/${stream}/index.m3u8`;
}

/** The watch page. */
export function watchUrl(location: Location, stream: StreamName, token: string): string {
  return `${edgeUrl(location)}/watch/${stream}?token=${token}`;
}

/** The dashboard; browsers keep a fragment to themselves, so the token reaches no server's log. */
export function dashboardUrl(location: Location, token: string): string {
  return `${edgeUrl(location)}/dashboard#token=${token}`;
}

/** Server and stream key of an RTMP encoder such as OBS. */
export function rtmpTarget(
  { host, ports }: Location,
  stream: StreamName,
  key: string,
): { readonly server: string; readonly streamKey: string } {
  return { server: `rtmp://${urlHost(host)}:${ports.rtmp}/live`, streamKey: `${stream}?key=${key}` };
}

/** One URL to publish to; SRT's carries the stream id in the form of SRT's access control guidelines. */
export function publishUrl(input: {
  readonly location: Location;
  readonly stream: StreamName;
  readonly protocol: PublishProtocol;
  readonly key: string;
}): string {
  const { location, stream, protocol, key } = input;
  switch (protocol) {
    case 'rtmp': {
      const { server, streamKey } = rtmpTarget(location, stream, key);
      return `${server}/${streamKey}`;
    }
    case 'srt':
      return `srt://${urlHost(location.host)}:${location.ports.srt}?streamid=#!::r=live/${stream},m=publish,key=${key}`;
  }
}
