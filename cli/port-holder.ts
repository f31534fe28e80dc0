/** Finds the process that holds a port, where the system tells: Linux's /proc. */

import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that holds a port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

/** State column of /proc/net/tcp for a socket that listens; a UDP socket that is not connected has 07. */
const LISTENING = { tcp: '0A', udp: '07' };

/** The holder of a local port, or `undefined` where the system does not say. */
export async function findPortHolder(protocol: 'tcp' | 'udp', port: number): Promise<PortHolder | undefined> {
  try {
    const tables = await Promise.all(
      [protocol, `${protocol}6`].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
    );
    const inodes = new Set(tables.flatMap((table) => listeningInodes(table, LISTENING[protocol], port)));
    return inodes.size === 0 ? undefined : await findSocketOwner(inodes);
  } catch {
    return undefined;
  }
}

/** Reads the inodes of a port's sockets from a table like /proc/net/tcp. */
export function listeningInodes(table: string, state: string, port: number): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${hexPort}`) === true && columns[3] === state)
    .flatMap((columns) => columns[9] ?? []);
}

async function findSocketOwner(inodes: ReadonlySet<string>): Promise<PortHolder | undefined> {
  const processes = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  for (const pid of processes) {
    // Other users' processes cannot be looked into.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) {
        const command = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
        return { pid: Number(pid), command };
      }
    }
  }
  return undefined;
}
