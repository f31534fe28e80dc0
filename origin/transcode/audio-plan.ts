/** Which audio renditions a source gets: one for each of its tracks, told apart by their language. */

import type { FeedContainer, SourceAudio, SourceProperties } from '../ingest/media-feed.ts';
import type { AudioRung } from './ladder.ts';
import { BANDWIDTH_MARGIN, type AudioRendition, type Unnamed } from './planned-rendition.ts';

/** AAC sample rates that are kept; all others become 48 kHz, which every decoder plays. */
const KEPT_SAMPLE_RATES: readonly number[] = [44_100, 48_000];
/** Expected peak of copied audio, bits per second per channel. */
const COPY_AUDIO_BANDWIDTH = 96_000;
/** Languages by their names in English, as players show them. */
const LANGUAGE_NAMES = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
/** ISO 639-2 codes that name no language: undetermined, several, no speech, and what tables leave to everybody. */
const NO_LANGUAGE = /^(?:und|mul|zxx|mis|q[a-t][a-z])$/;

/** A track's language as playlists have it. */
interface Language {
  /** RFC 5646, the shortest code. */
  readonly tag: string;
  readonly label: string | undefined;
}

/**
 * Plans the audio tracks of a source, at most as many as the rung says. The first has the rung's name, further ones
 * that name with their language, and a number where `taken` (the video's names) or others have it. Labels differ, as rfc8216bis §4.4.6.1.1 asks of one group's NAMEs.
 */
export function planAudio(
  source: SourceProperties,
  container: FeedContainer,
  rung: AudioRung,
  taken: readonly string[],
): readonly Unnamed<AudioRendition>[] {
  const tracks = source.audio === undefined ? [] : [source.audio, ...(source.moreAudio ?? [])];
  const names = new Set(taken);
  const labels = new Set<string>();
  return tracks.slice(0, rung.languages).map((audio, index) => {
    const language = readLanguage(audio.language);
    const suffix = (language?.tag ?? String(index + 1)).toLowerCase();
    const name = index === 0 ? rung.name : distinct(`${rung.name}-${suffix}`, '-', names);
    names.add(name);
    const label = language?.label ?? (tracks.length > 1 ? `Audio ${index + 1}` : undefined);
    return {
      ...planTrack(audio, container, rung),
      name,
      language: language?.tag,
      label: label === undefined ? undefined : distinct(label, ' ', labels),
    };
  });
}

/** Reads a language of ISO 639 (`ger`, `deu`, `de`); `undefined` where it names none. */
function readLanguage(code: string | undefined): Language | undefined {
  if (code === undefined || !/^[A-Za-z]{2,3}$/.test(code) || NO_LANGUAGE.test(code.toLowerCase())) {
    return undefined;
  }
  const [tag = code] = Intl.getCanonicalLocales(code);
  return { tag, label: LANGUAGE_NAMES.of(tag) };
}

/** A text that is not among `taken` yet, with a number where it is; added to them. */
function distinct(text: string, separator: string, taken: Set<string>): string {
  let candidate = text;
  for (let number = 2; taken.has(candidate); number += 1) {
    candidate = `${text}${separator}${number}`;
  }
  taken.add(candidate);
  return candidate;
}

function planTrack(
  audio: SourceAudio,
  container: FeedContainer,
  rung: AudioRung,
): Omit<Unnamed<AudioRendition>, 'name' | 'language' | 'label'> {
  const { streamId } = audio;
  if (rung.codec === 'copy' && container !== 'mpegts') {
    const { sampleRate, channels } = audio;
    const bandwidth = COPY_AUDIO_BANDWIDTH * channels;
    return {
      kind: 'audio',
      streamId,
      sampleRate,
      channels,
      bandwidth,
      encoding: { codec: 'copy', of: audio.codec },
    };
  }
  return {
    kind: 'audio',
    streamId,
    sampleRate: KEPT_SAMPLE_RATES.includes(audio.sampleRate) ? audio.sampleRate : 48_000,
    channels: Math.min(audio.channels, 2),
    bandwidth: Math.ceil(rung.bitrate * BANDWIDTH_MARGIN),
    encoding: { codec: 'aac', bitrate: rung.bitrate, loudness: rung.loudness?.target },
  };
}
