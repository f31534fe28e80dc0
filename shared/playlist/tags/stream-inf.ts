/** EXT-X-STREAM-INF, rfc8216bis §4.4.6.2: a variant, whose URI is the next line. */

import {
  parseAttributeList,
  quoted,
  renderAttributeList,
  required,
  takeDecimal,
  takeInteger,
  takeQuoted,
  takeUnquoted,
  unquoted,
  type AttributeList,
} from '../attribute-list.ts';
import { parseInteger, PlaylistSyntaxError } from '../syntax.ts';

/** Width and height in pixels. */
interface Resolution {
  readonly width: number;
  readonly height: number;
}

/** EXT-X-STREAM-INF. */
export interface StreamInfTag {
  readonly kind: 'stream-inf';
  /** Peak bits per second. */
  readonly bandwidth: number;
  /** Average bits per second. */
  readonly averageBandwidth: number | undefined;
  /** RFC 6381, separated by commas. */
  readonly codecs: string | undefined;
  readonly resolution: Resolution | undefined;
  /** Frames per second, written to three decimals. */
  readonly frameRate: number | undefined;
  /** GROUP-ID of the audio renditions. */
  readonly audio: string | undefined;
}

/** Renders EXT-X-STREAM-INF. */
export function renderStreamInf(tag: StreamInfTag): string {
  const { averageBandwidth, codecs, resolution, frameRate, audio } = tag;
  return `#EXT-X-STREAM-INF:${renderAttributeList([
    ['BANDWIDTH', unquoted(tag.bandwidth)],
    ['AVERAGE-BANDWIDTH', averageBandwidth === undefined ? undefined : unquoted(averageBandwidth)],
    ['CODECS', codecs === undefined ? undefined : quoted(codecs)],
    [
      'RESOLUTION',
      resolution === undefined ? undefined : unquoted(`${resolution.width}x${resolution.height}`),
    ],
    ['FRAME-RATE', frameRate === undefined ? undefined : unquoted(frameRate.toFixed(3))],
    ['AUDIO', audio === undefined ? undefined : quoted(audio)],
  ])}`;
}

/** Reads the text after `#EXT-X-STREAM-INF:`. */
export function parseStreamInf(text: string): StreamInfTag {
  const attributes = parseAttributeList(text);
  return {
    kind: 'stream-inf',
    bandwidth: required(takeInteger(attributes, 'BANDWIDTH'), 'BANDWIDTH'),
    averageBandwidth: takeInteger(attributes, 'AVERAGE-BANDWIDTH'),
    codecs: takeQuoted(attributes, 'CODECS'),
    resolution: takeResolution(attributes),
    frameRate: takeDecimal(attributes, 'FRAME-RATE'),
    audio: takeQuoted(attributes, 'AUDIO'),
  };
}

function takeResolution(attributes: AttributeList): Resolution | undefined {
  const text = takeUnquoted(attributes, 'RESOLUTION');
  if (text === undefined) {
    return undefined;
  }
  const [width, height, rest] = text.split('x', 3);
  if (width === undefined || height === undefined || rest !== undefined) {
    throw new PlaylistSyntaxError('RESOLUTION is not of the form WIDTHxHEIGHT');
  }
  return { width: parseInteger(width, 'RESOLUTION'), height: parseInteger(height, 'RESOLUTION') };
}
