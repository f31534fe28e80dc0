/** What `npm start` tells when everything runs: where to watch, where to publish, how to stop. */

import type { StreamName } from '#shared/identifiers.ts';
import {
  controlUrl,
  dashboardUrl,
  isWildcard,
  publishUrl,
  rtmpTarget,
  watchUrl,
  type Location,
} from './addresses.ts';

/** What the panel shows. */
export interface PanelContent {
  readonly location: Location;
  /** The demo stream with a token for it; `undefined` where it does not run. */
  readonly demo: { readonly stream: StreamName; readonly token: string } | undefined;
  /** Token of the dashboard; `undefined` where playback is not recorded. */
  readonly analyticsToken: string | undefined;
  /** A name to publish under, with its key. */
  readonly publish: { readonly stream: StreamName; readonly key: string };
  /** Flags by which `rill` finds this instance, empty for the default one. */
  readonly rillFlags: string;
}

/** Renders the panel. */
export function renderPanel({ location, demo, analyticsToken, publish, rillFlags }: PanelContent): string {
  const { server, streamKey } = rtmpTarget(location, publish.stream, publish.key);
  const rill = (command: string): string => `npm run -s rill -- ${command}${rillFlags}`;
  const lines = [
    ...(demo === undefined
      ? []
      : section('Watch', [
          ['demo', watchUrl(location, demo.stream, demo.token)],
          ['', 'valid for 12 hours'],
        ])),
    ...(analyticsToken === undefined
      ? []
      : section('Quality of experience', [
          ['open', dashboardUrl(location, analyticsToken)],
          ['', 'valid for 12 hours'],
        ])),
    ...section('Publish', [
      ['OBS', `server      ${server}`],
      ['', `stream key  ${streamKey}`],
      ['RTMP', publishUrl({ location, ...publish, protocol: 'rtmp' })],
      ['SRT', publishUrl({ location, ...publish, protocol: 'srt' })],
    ]),
    ...section('Control', [
      ['API', controlUrl(location)],
      ['watch', rill(`play-url ${publish.stream} --watch`)],
      ['play', rill(`play-url ${publish.stream}`)],
      ['publish', rill('publish-url NAME --srt')],
      ['live', rill('streams')],
    ]),
    ...(isWildcard(location.host)
      ? ['  It listens on every interface: from elsewhere, put this machine’s name into these addresses.', '']
      : []),
    '  Ctrl-C stops everything.',
  ];
  const rule = '─'.repeat(76);
  return ['', rule, '  Rill is running', '', ...lines, rule, ''].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return [`  ${title}`, ...rows.map(([name, value]) => `    ${name.padEnd(8)} ${value}`), ''];
}
