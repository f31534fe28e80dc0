/** Checks, before any stream comes, that the ffmpeg there is will do. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fail, ok, type Result } from '#shared/result.ts';
import { listEncoders } from './ffmpeg-command.ts';
import { INSTALL_FFMPEG } from './install-hint.ts';

/** First release with `-fps_mode` and per-output muxer threads, major and minor. */
const OLDEST = { major: 5, minor: 1 };
/** What `ffmpeg -version` may take, milliseconds: it is instant, unless the disk or the file is broken. */
const VERSION_TIMEOUT = 10_000;

const run = promisify(execFile);

/** A usable ffmpeg. */
export interface FfmpegInstallation {
  readonly path: string;
  /** As it names itself, such as `7.1.1-1+b1` or `N-117000-g0123abc`. */
  readonly version: string;
}

/** Why an ffmpeg will not do; each `detail` names the remedy. */
export type FfmpegProblem =
  | { readonly reason: 'missing'; readonly detail: string }
  | { readonly reason: 'too-old'; readonly detail: string }
  | { readonly reason: 'missing-encoders'; readonly detail: string };

/** Runs the program once for its version and checks that it has the encoders named. */
export async function probeFfmpeg(
  path: string,
  encoders: readonly string[],
): Promise<Result<FfmpegInstallation, FfmpegProblem>> {
  let version: string | undefined;
  let present: ReadonlySet<string>;
  try {
    version = parseVersion((await run(path, ['-version'], { timeout: VERSION_TIMEOUT })).stdout);
    present = await listEncoders(path);
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return fail({
      reason: 'missing',
      detail: `ffmpeg "${path}" cannot be run (${cause}); ${INSTALL_FFMPEG}`,
    });
  }
  if (version === undefined) {
    return fail({ reason: 'missing', detail: `"${path}" is not ffmpeg; ${INSTALL_FFMPEG}` });
  }
  if (isTooOld(version)) {
    return fail({ reason: 'too-old', detail: `ffmpeg "${path}" is ${version}; ${INSTALL_FFMPEG}` });
  }
  const absent = encoders.filter((encoder) => !present.has(encoder));
  if (absent.length > 0) {
    return fail({
      reason: 'missing-encoders',
      detail: `ffmpeg "${path}" ${version} was built without ${absent.join(', ')}; ${INSTALL_FFMPEG}`,
    });
  }
  return ok({ path, version });
}

/** The version out of `ffmpeg -version`, or `undefined` when the program is another. */
export function parseVersion(text: string): string | undefined {
  return /^ffmpeg version (\S+)/.exec(text)?.[1];
}

/** Whether a release is older than what the arguments need; development builds carry no number and pass. */
export function isTooOld(version: string): boolean {
  const release = /^n?(\d+)\.(\d+)/.exec(version);
  if (release === null) {
    return false;
  }
  const major = Number(release[1]);
  return major < OLDEST.major || (major === OLDEST.major && Number(release[2]) < OLDEST.minor);
}
