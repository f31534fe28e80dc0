/** Decides at the origin's start which encoders its ladders get, and says so where it is not what was asked for. */

import { fail, ok, type Result } from '#shared/result.ts';
import type { Log } from '../log.ts';
import { probeEncoder } from './encoder-probe.ts';
import {
  encoderTable,
  hardwareCandidates,
  SOFTWARE,
  type EncoderName,
  type EncoderNeed,
  type EncoderTable,
} from './encoder-table.ts';
import type { Ladder } from './ladder.ts';
import { probeFfmpeg, type FfmpegProblem } from './version.ts';

/**
 * Checks ffmpeg and tries the encoders that ladders ask for; a failure is what no software can stand in for. Those of
 * `working` are known to work and not tried again; those that are found are added to it, whatever else fails.
 */
export async function setUpEncoders(
  ffmpegPath: string,
  ladders: readonly Ladder[],
  log: Log,
  working: Set<string> = new Set(),
): Promise<Result<EncoderTable, FfmpegProblem>> {
  const needs = encoderNeeds(ladders);
  const audio = ladders.some((ladder) => ladder.audio !== null) ? ['aac'] : [];
  const single = needs.flatMap(({ codec }) => (SOFTWARE[codec].length === 1 ? [SOFTWARE[codec][0]] : []));
  // A copy rung still encodes what comes as MPEG-TS, so AAC is needed whenever there is audio.
  const ffmpeg = await probeFfmpeg(ffmpegPath, [...new Set([...single, ...audio])]);
  if (!ffmpeg.ok) {
    return ffmpeg;
  }
  log.info({ ffmpeg: ffmpeg.value.path, version: ffmpeg.value.version }, 'ffmpeg found');
  single.forEach((encoder) => working.add(keyOf(encoder, undefined)));
  const missing: string[] = [];
  for (const need of needs) {
    const tried = await tryNeed(ffmpegPath, need, working);
    if (tried.chosen === undefined) {
      missing.push(`no encoder for ${need.codec} works: ${tried.failures.join('; ')}`);
      continue;
    }
    const facts = { codec: need.codec, asked: need.choice, encoder: tried.chosen };
    if (tried.failures.length > 0) {
      log.warn(facts, `${need.codec} is encoded by ${tried.chosen}: ${tried.failures.join('; ')}`);
    } else if (need.choice !== 'software') {
      log.info(facts, `${need.codec} is encoded by ${tried.chosen}`);
    }
  }
  return missing.length === 0
    ? ok(tableOf(working))
    : fail({
        reason: 'missing-encoders',
        detail: `${missing.join('; ')}; leave its rungs out, or use another ffmpeg`,
      });
}

/** A table of those that {@link setUpEncoders} has found, as they stand when it is asked. */
export function tableOf(working: ReadonlySet<string>): EncoderTable {
  return encoderTable((encoder, device) => working.has(keyOf(encoder, device)));
}

/** What ladders need, each once. */
export function encoderNeeds(ladders: readonly Ladder[]): readonly EncoderNeed[] {
  const needs = ladders.flatMap(({ video, encoder, device }) =>
    video.flatMap((rung) =>
      rung.codec === 'copy' ? [] : [{ codec: rung.codec, choice: rung.encoder ?? encoder, device }],
    ),
  );
  return [...new Map(needs.map((need) => [JSON.stringify(need), need])).values()];
}

/** Tries hardware until one works, then software, which has to be there for when hardware fails later. */
async function tryNeed(
  ffmpegPath: string,
  need: EncoderNeed,
  working: Set<string>,
): Promise<{ readonly chosen: EncoderName | undefined; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  let chosen: EncoderName | undefined;
  const software = SOFTWARE[need.codec];
  for (const candidates of [hardwareCandidates(need), software]) {
    const device = candidates === software ? undefined : need.device;
    for (const encoder of candidates) {
      const tried = working.has(keyOf(encoder, device))
        ? ok(undefined)
        : await probeEncoder(ffmpegPath, encoder, device);
      if (tried.ok) {
        working.add(keyOf(encoder, device));
        chosen ??= encoder;
        break;
      }
      failures.push(`${encoder} does not work here (${tried.failure.detail})`);
    }
  }
  return { chosen, failures };
}

function keyOf(encoder: EncoderName, device: string | undefined): string {
  return `${encoder} ${device ?? ''}`;
}
