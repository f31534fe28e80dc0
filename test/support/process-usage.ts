/** CPU and memory of a process and its descendants, read from /proc. */

import { readFileSync, readdirSync } from 'node:fs';

const CLOCK_TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** One process at one instant. */
export interface ProcessUsage {
  readonly processId: number;
  readonly parentId: number;
  readonly command: string;
  /** User and system time since its start, seconds. */
  readonly cpuSeconds: number;
  /** Resident memory, bytes. */
  readonly residentBytes: number;
}

/** Lists a process and all its descendants. */
export function listDescendants(rootId: number): readonly ProcessUsage[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)));
  const wanted = new Set([rootId]);
  for (let grown = true; grown;) {
    const more = all.filter((one) => wanted.has(one.parentId) && !wanted.has(one.processId));
    more.forEach((one) => wanted.add(one.processId));
    grown = more.length > 0;
  }
  return all.filter((one) => wanted.has(one.processId));
}

function readProcess(processId: number): readonly ProcessUsage[] {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [
      {
        processId,
        parentId: Number(fields[1]),
        command: readFileSync(`/proc/${processId}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
        residentBytes: Number(fields[21]) * PAGE_BYTES,
      },
    ];
  } catch {
    return [];
  }
}
