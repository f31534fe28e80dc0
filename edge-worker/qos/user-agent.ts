/** The class of a user agent: enough to tell devices apart in a report, too little to tell viewers apart. */

import { Recent } from './intake/recent.ts';

/** What a user agent says of itself; `other` where nothing is recognised. */
export interface AgentClass {
  readonly device: string;
  readonly browser: string;
  readonly os: string;
}

/** User agents remembered by an isolate, some 300 bytes each: viewers share a few hundred. */
const MAX_KNOWN = 1_000;
/** Longest user agent that is looked at, characters. */
const MAX_LENGTH = 512;
const OTHER = 'other';

const known = new Recent<AgentClass>(MAX_KNOWN);

type Rules = readonly (readonly [string, RegExp])[];

/** The first that matches; most name those they descend from, so the descendants come first. */
const DEVICES: Rules = [
  ['bot', /bot\b|crawler|spider|curl\/|wget\/|python|headless(?!chrome)|okhttp$/i],
  [
    'tv',
    /smart-?tv|tizen|web0s|webos|bravia|roku|appletv|apple tv|\baft[a-z]|googletv|android tv|hbbtv|crkey/i,
  ],
  ['console', /playstation|xbox|nintendo/i],
  ['tablet', /ipad|tablet|android(?!.*mobile)/i],
  ['mobile', /iphone|ipod|android|mobile/i],
  ['desktop', /windows nt|macintosh|x11|cros|linux/i],
];
const BROWSERS: Rules = [
  ['vlc', /\bvlc\b|libvlc/i],
  ['exoplayer', /exoplayer|androidxmedia3/i],
  ['avplayer', /applecoremedia|avfoundation/i],
  ['ffmpeg', /\blavf\//i],
  ['edge', /\bedg(?:e|a|ios)?\//i],
  ['opera', /\bopr\/|opera/i],
  ['samsung', /samsungbrowser/i],
  ['firefox', /firefox|fxios/i],
  ['chrome', /chrome|crios|chromium/i],
  ['safari', /safari/i],
];
const SYSTEMS: Rules = [
  ['tizen', /tizen/i],
  ['webos', /web0s|webos/i],
  ['roku', /roku/i],
  ['windows', /windows/i],
  ['ios', /iphone|ipad|ipod|appletv|apple tv/i],
  ['macos', /macintosh|mac os x/i],
  ['chromeos', /\bcros\b/i],
  ['android', /android/i],
  ['linux', /linux|x11/i],
];

/** Classifies a `User-Agent` header; `null` where there is none. */
export function classifyAgent(header: string | null): AgentClass {
  const agent = (header ?? '').slice(0, MAX_LENGTH);
  const before = known.get(agent);
  if (before !== undefined) {
    return before;
  }
  const first = (rules: Rules): string => rules.find(([, pattern]) => pattern.test(agent))?.[0] ?? OTHER;
  const told = { device: first(DEVICES), browser: first(BROWSERS), os: first(SYSTEMS) };
  known.set(agent, told);
  return told;
}
