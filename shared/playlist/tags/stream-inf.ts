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
  type AttributeValue,
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
  /** How good it is beside the others, higher is better; players choose by it among those that fit. */
  readonly score: number | undefined;
  readonly resolution: Resolution | undefined;
  /** Frames per second, written to three decimals. */
  readonly frameRate: number | undefined;
  /** VIDEO-RANGE: `SDR`, `HLG`, `PQ`; a player leaves out what it does not know. */
  readonly videoRange: string | undefined;
  /** GROUP-ID of the audio renditions. */
  readonly audio: string | undefined;
  /** GROUP-ID of the closed captions, or that there are none in any variant. */
  readonly closedCaptions: { readonly groupId: string } | 'NONE' | undefined;
}

/** Renders EXT-X-STREAM-INF. */
export function renderStreamInf(tag: StreamInfTag): string {
  const { averageBandwidth, codecs, score, resolution, frameRate, videoRange, audio, closedCaptions } = tag;
  return `#EXT-X-STREAM-INF:${renderAttributeList([
    ['BANDWIDTH', unquoted(tag.bandwidth)],
    ['AVERAGE-BANDWIDTH', averageBandwidth === undefined ? undefined : unquoted(averageBandwidth)],
    ['SCORE', score === undefined ? undefined : unquoted(score)],
    ['CODECS', codecs === undefined ? undefined : quoted(codecs)],
    [
      'RESOLUTION',
      resolution === undefined ? undefined : unquoted(`${resolution.width}x${resolution.height}`),
    ],
    ['FRAME-RATE', frameRate === undefined ? undefined : unquoted(frameRate.toFixed(3))],
    ['VIDEO-RANGE', videoRange === undefined ? undefined : unquoted(videoRange)],
    ['AUDIO', audio === undefined ? undefined : quoted(audio)],
    ['CLOSED-CAPTIONS', closedCaptionsValue(closedCaptions)],
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
    score: takeDecimal(attributes, 'SCORE'),
    resolution: takeResolution(attributes),
    frameRate: takeDecimal(attributes, 'FRAME-RATE'),
    videoRange: takeUnquoted(attributes, 'VIDEO-RANGE'),
    audio: takeQuoted(attributes, 'AUDIO'),
    closedCaptions: takeClosedCaptions(attributes),
  };
}

function closedCaptionsValue(captions: StreamInfTag['closedCaptions']): AttributeValue | undefined {
  if (captions === undefined) {
    return undefined;
  }
  return captions === 'NONE' ? unquoted('NONE') : quoted(captions.groupId);
}

function takeClosedCaptions(attributes: AttributeList): StreamInfTag['closedCaptions'] {
  const value = attributes.get('CLOSED-CAPTIONS');
  if (value?.quoted === false && value.text !== 'NONE') {
    throw new PlaylistSyntaxError('CLOSED-CAPTIONS is neither a quoted string nor NONE');
  }
  return value?.quoted === true ? { groupId: value.text } : value && 'NONE';
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
