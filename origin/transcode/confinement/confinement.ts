/**
 * Runs ffmpeg, which reads what strangers send, with as little as it needs: an empty environment, no network, limits,
 * no way to more rights. The tools are util-linux's, each replacing itself by the next, so that signals reach ffmpeg.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Log } from '../../log.ts';
import type { ConfinementSettings } from './settings.ts';

/** What a try of the tools may take, milliseconds. */
const PROBE_TIMEOUT_MS = 10_000;
/** Files that ffmpeg has open at once: its pipes, libraries while they load, and devices. */
const OPEN_FILES = 256;
/** What ffmpeg is told of the environment: where programs, libraries and a GPU's drivers are, and no secrets. */
const PASSED_VARIABLES = [
  ...['PATH', 'LD_LIBRARY_PATH', 'LIBVA_DRIVER_NAME', 'LIBVA_DRIVERS_PATH', 'CUDA_VISIBLE_DEVICES'],
  ...['NVIDIA_VISIBLE_DEVICES', 'NVIDIA_DRIVER_CAPABILITIES', 'ONEVPL_SEARCH_PATH'],
];
/** Drivers of hardware encoders may keep caches of compiled programs, which then are files. */
const HARDWARE = /_(nvenc|qsv|vaapi|cuvid)$/;

const run = promisify(execFile);

/** Ways to have no network: as root or with CAP_SYS_ADMIN, and in a user namespace of one's own. */
const NETWORK_WAYS: readonly (readonly string[])[] = [
  ['unshare', '--net', '--'],
  ['unshare', '--map-current-user', '--net', '--'],
];

/** What stands in front of ffmpeg. */
export interface Confinement {
  /** Programs and their arguments, each running what follows; empty: nothing. */
  readonly tools: readonly string[];
  /** Limits that are put behind `prlimit`; empty where there is no such tool. */
  readonly limits: readonly string[];
}

/** A command line and its environment. */
interface ConfinedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Confinement that was asked for and cannot be had; the message names the remedy. */
class ConfinementError extends Error {
  override readonly name = 'ConfinementError';
  readonly code = 'ffmpeg-not-confined';
}

const NOTHING: Confinement = { tools: [], limits: [] };
/** Of the whole process, as the path of ffmpeg is. */
let current = NOTHING;

/** Finds out what this system allows and keeps to it; rejects where less than `required` is there. */
export async function confineFfmpeg(path: string, settings: ConfinementSettings, log: Log): Promise<void> {
  const { isolation, user, memoryMib } = settings;
  const privileges = privilegeTool(user);
  const limits = [
    '--core=0',
    `--nofile=${OPEN_FILES}`,
    ...(memoryMib > 0 ? [`--data=${memoryMib * 2 ** 20}`] : []),
  ];
  current = NOTHING;
  if (isolation === 'off') {
    current = { tools: user === undefined ? [] : privileges, limits: [] };
    await requireWorking(path, current);
    return;
  }
  for (const network of NETWORK_WAYS) {
    if (await works(path, { tools: [...network, ...privileges], limits })) {
      current = { tools: [...network, ...privileges], limits };
      log.info({ user, memoryMib }, 'ffmpeg runs without network and with limits');
      return;
    }
  }
  if (isolation === 'required') {
    throw new ConfinementError(
      'RILL_FFMPEG_ISOLATION is required, but ffmpeg cannot be run with unshare --net, prlimit and setpriv here: install util-linux and allow user namespaces or CAP_SYS_ADMIN, or set it to auto',
    );
  }
  const limited = { tools: privileges, limits };
  current = (await works(path, limited))
    ? limited
    : { tools: user === undefined ? [] : privileges, limits: [] };
  await requireWorking(path, current);
  const has = { limits: current.limits.length > 0, user };
  log.warn(has, 'ffmpeg is not kept from the network by the origin: this system does not allow it');
}

/** The command line that runs ffmpeg as it was found possible. */
export function confined(path: string, args: readonly string[], how: Confinement = current): ConfinedCommand {
  const env = Object.fromEntries(
    PASSED_VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const files = args.some((arg) => HARDWARE.test(arg)) ? [] : ['--fsize=0'];
  const limits = how.limits.length === 0 ? [] : ['prlimit', ...how.limits, ...files, '--'];
  const [command = path, ...rest] = [...limits, ...how.tools, path, ...args];
  return { command, args: rest, env };
}

/** No program that ffmpeg could start gets more rights than it has; and its own user where one is named. */
function privilegeTool(user: ConfinementSettings['user']): readonly string[] {
  const ids = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return ['setpriv', ...ids, '--no-new-privs', '--'];
}

async function works(path: string, how: Confinement): Promise<boolean> {
  const { command, args, env } = confined(path, ['-version'], how);
  return run(command, [...args], { env, timeout: PROBE_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}

/** A user that was asked for is never left out. */
async function requireWorking(path: string, how: Confinement): Promise<void> {
  if (how.tools.length > 0 && !(await works(path, how))) {
    throw new ConfinementError(
      'ffmpeg cannot be run with setpriv: RILL_FFMPEG_USER needs util-linux and an origin started as root',
    );
  }
}
