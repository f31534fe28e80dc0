/** The tools that the bench needs beside the project's own. */

import { execFileSync } from 'node:child_process';

const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  nginx: 'nginx-light',
  wrk: 'wrk',
  taskset: 'util-linux',
};

/** Throws, with the command that installs them on Debian, when tools are missing. */
export function requireTools(): void {
  const missing = Object.entries(DEBIAN_PACKAGES).filter(([tool]) => firstLine(`command -v ${tool}`) === '');
  if (missing.length > 0) {
    const names = missing.map(([tool]) => tool).join(', ');
    const packages = missing.map(([, name]) => name).join(' ');
    throw new Error(`${names} not found; on Debian: apt-get update && apt-get install ${packages}`);
  }
}

/** Says the versions of nginx and wrk. */
export function toolVersions(): string {
  return `${firstLine('nginx -v')}, ${firstLine('wrk -v').split(' Copyright')[0]}`;
}

/** First line that a shell command writes, be it to stderr and with whatever exit code. */
function firstLine(command: string): string {
  const output = execFileSync('sh', ['-c', `${command} 2>&1 || true`]).toString();
  return output.split('\n')[0] ?? '';
}
