/** What every benchmark prints: machine, versions, medians. */

import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** Prints a line of a report. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints machine and versions, so that a figure can be compared. */
export function printMachine(title: string): void {
  const ffmpeg = execFileSync('ffmpeg', ['-version']).toString().split('\n')[0] ?? '';
  print(`# ${title}`);
  print(`machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`);
  print(`node ${process.version}, ${ffmpeg.slice(0, 40)}, ${new Date().toISOString()}`);
}

/** The value below which a share of the values lies, by nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Median, 95th percentile, least and greatest of some figures, as one line of text. */
export function summarize(values: readonly number[], unit: string): string {
  const format = (value: number): string => `${Math.round(value)} ${unit}`;
  const [median, p95, least, most] = [0.5, 0.95, 0, 1].map((share) => format(quantile(values, share)));
  return `median ${median}, p95 ${p95}, min ${least}, max ${most} (n=${values.length})`;
}
