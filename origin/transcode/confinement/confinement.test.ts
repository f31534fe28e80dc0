import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { runFfmpeg, type FfmpegCommand } from '../ffmpeg-command.ts';
import { confined, confineFfmpeg } from './confinement.ts';

const log = pino({ level: 'silent' });
const SECRET = 'do-not-tell-ffmpeg-this';
const MEMORY_MIB = 2_048;
const WAIT = { timeout: 10_000, interval: 20 };
const AUTO = { isolation: 'auto', user: undefined, memoryMib: MEMORY_MIB } as const;

beforeAll(() => {
  process.env['RILL_TEST_SECRET'] = SECRET;
});

afterEach(async () => {
  await confineFfmpeg('ffmpeg', { ...AUTO, isolation: 'off' }, log);
});

/** Runs an ffmpeg that waits for its input, and hands over its folder in /proc. */
async function withFfmpeg(look: (folder: string) => void): Promise<void> {
  const stdin = new PassThrough();
  const marker = `mark=${Math.random()}`;
  const args = ['-v', 'error', '-f', 'live_flv', '-i', 'pipe:0', '-metadata', marker, '-f', 'flv', 'pipe:1'];
  const command: FfmpegCommand = runFfmpeg({
    ...{ ffmpegPath: 'ffmpeg', arguments: args, stdin, stdout: new PassThrough(), onStderr: () => undefined },
  });
  try {
    const pid = await vi.waitUntil(() => findProcess(marker), WAIT);
    look(`/proc/${pid}`);
  } finally {
    command.signal('SIGKILL');
    await command.ended;
  }
}

/** The process that has become ffmpeg. */
function findProcess(marker: string): string | undefined {
  return execFileSync('ps', ['-eo', 'pid=,comm=,args='])
    .toString()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, name, ...rest]) => name === 'ffmpeg' && rest.includes(marker))?.[0];
}

describe('ffmpeg', () => {
  test('gets no variable of the origin but those that it needs', async () => {
    await withFfmpeg((folder) => {
      const environment = readFileSync(`${folder}/environ`, 'latin1');
      expect(environment).toContain('PATH=');
      expect(environment).not.toContain(SECRET);
      expect(environment).not.toContain('HOME=');
    });
  });

  test('has limits, no way to more rights, and a network namespace of its own, where the system allows it', async () => {
    await confineFfmpeg('ffmpeg', AUTO, log);
    const isolated = confined('ffmpeg', []).args.includes('--net');
    await withFfmpeg((folder) => {
      const limits = readFileSync(`${folder}/limits`, 'utf8');
      expect(limits).toMatch(new RegExp(`Max data size +${MEMORY_MIB * 2 ** 20} `));
      expect(limits).toMatch(/Max file size +0 /);
      expect(limits).toMatch(/Max core file size +0 /);
      expect(readFileSync(`${folder}/status`, 'utf8')).toMatch(/NoNewPrivs:\s1/);
      const own = readlinkSync(`${folder}/ns/net`);
      expect(own !== readlinkSync('/proc/self/ns/net')).toBe(isolated);
      if (isolated) {
        const interfaces = readFileSync(`${folder}/net/dev`, 'utf8');
        expect(interfaces.split('\n').filter((line) => line.includes(':'))).toHaveLength(1);
      }
    });
  });

  test.runIf(process.getuid?.() === 0)('runs as its own user where the origin is root', async () => {
    await confineFfmpeg('ffmpeg', { ...AUTO, user: { uid: 4711, gid: 4712 } }, log);
    await withFfmpeg((folder) => {
      const status = readFileSync(`${folder}/status`, 'utf8');
      expect(status).toMatch(/Uid:\s4711\s4711\s4711\s4711/);
      expect(status).toMatch(/Gid:\s4712\s4712\s4712\s4712/);
      expect(status).toMatch(/Groups:\s*\n/);
      expect(status).toMatch(/CapEff:\s0+\n/);
    });
  });

  test('keeps the limits on files from hardware encoders alone', async () => {
    await confineFfmpeg('ffmpeg', AUTO, log);
    expect(confined('ffmpeg', ['-c:v', 'libx264']).args).toContain('--fsize=0');
    expect(confined('ffmpeg', ['-c:v', 'h264_vaapi']).args).not.toContain('--fsize=0');
  });
});

test('what is required and cannot be had ends the start with the remedy', async () => {
  const required = { ...AUTO, isolation: 'required' } as const;
  await expect(confineFfmpeg('/nowhere/ffmpeg', required, log)).rejects.toThrow(/install util-linux/);
});
