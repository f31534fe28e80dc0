import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Log } from '../log.ts';
import { probeArguments, probeEncoder } from './encoder-probe.ts';
import { setUpEncoders } from './encoder-setup.ts';
import { encoderTable, type EncoderName } from './encoder-table.ts';
import { ladderSchema, type Ladder } from './ladder.ts';

const HARDWARE: readonly EncoderName[] = ['h264', 'hevc', 'av1'].flatMap((codec) =>
  ['nvenc', 'vaapi', 'qsv'].map((hardware) => `${codec}_${hardware}` as EncoderName),
);
/** Options that every video encoder has. */
const GENERAL = /^(?:c|b|maxrate|bufsize|g|bf|flags|tag|enc_time_base|global_quality|force_key_frames)$/;
/** No machine has these. */
const NO_DEVICE = '/dev/dri/renderD999';

function ladderOf(codec: string, encoder: string): Ladder {
  const rung = { name: 'rung', codec, height: 180, bitrate: 200_000 };
  return ladderSchema.parse({ video: [rung], audio: null, encoder, device: NO_DEVICE });
}

function listen(): { readonly log: Log; readonly warnings: string[] } {
  const warnings: string[] = [];
  const note = (_fields: object, message: string): void => {
    warnings.push(message);
  };
  const silent = (): void => undefined;
  // oxlint-disable-next-line typescript/consistent-type-assertions
  return { log: { warn: note, info: silent } as unknown as Log, warnings };
}

describe('setUpEncoders', () => {
  it('falls back to software and says once why, naming every encoder that was tried', async () => {
    const { log, warnings } = listen();
    const table = await setUpEncoders('ffmpeg', [ladderOf('h264', 'auto'), ladderOf('h264', 'auto')], log);
    const need = { codec: 'h264', choice: 'auto', device: NO_DEVICE } as const;
    expect(table.ok && table.value.choose(need)).toBe('libx264');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^h264 is encoded by libx264: h264_nvenc does not work here \(.+\); h264_vaapi .+\); h264_qsv .+\); h264_videotoolbox .+\)$/,
    );
  });

  it('takes an encoder of AV1 that sets key frames where they are asked for', async () => {
    const { log } = listen();
    const table = await setUpEncoders('ffmpeg', [ladderOf('av1', 'software')], log);
    const chosen = table.ok
      ? table.value.choose({ codec: 'av1', choice: 'software', device: NO_DEVICE })
      : undefined;
    expect(['libsvtav1', 'libaom-av1']).toContain(chosen);
    expect(chosen && (await probeEncoder('ffmpeg', chosen, undefined)).ok).toBe(true);
  });

  it('fails where ffmpeg is none', async () => {
    const table = await setUpEncoders('/nowhere/ffmpeg', [ladderOf('h264', 'software')], listen().log);
    expect(table).toMatchObject({ ok: false, failure: { reason: 'missing' } });
  });
});

describe('encoderTable', () => {
  const need = { codec: 'hevc', choice: 'auto', device: undefined } as const;

  it('prefers hardware that works in a fixed order, and software after it has failed', () => {
    const table = encoderTable((encoder) => encoder.endsWith('vaapi') || encoder.endsWith('qsv'));
    expect(table.choose(need)).toBe('hevc_vaapi');
    expect(table.choose({ ...need, choice: 'qsv' })).toBe('hevc_qsv');
    expect(table.choose({ ...need, choice: 'nvenc' })).toBe('libx265');
    expect(table.choose({ ...need, choice: 'software' })).toBe('libx265');
    expect(table.choose(need, true)).toBe('libx265');
  });
});

describe('options of hardware encoders', () => {
  const built = execFileSync('ffmpeg', ['-hide_banner', '-encoders'], { encoding: 'utf8' });

  it.each(HARDWARE.filter((encoder) => built.includes(` ${encoder} `)))('are known to %s', (encoder) => {
    const { stdout } = spawnSync('ffmpeg', ['-hide_banner', '-h', `encoder=${encoder}`], {
      encoding: 'utf8',
    });
    const names = probeArguments(encoder, '0').flatMap(
      (argument) => /^-([a-z0-9_-]+):v:0$/.exec(argument)?.[1] ?? [],
    );
    const own = names.filter((name) => !GENERAL.test(name) && name !== 'frames');
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((name) => !new RegExp(`^ +-${name} `, 'm').test(stdout))).toEqual([]);
  });
});
