import { describe, expect, it } from 'vitest';
import { isTooOld, parseVersion, probeFfmpeg } from './version.ts';

describe('parseVersion', () => {
  it('reads what ffmpeg calls itself', () => {
    expect(parseVersion('ffmpeg version 5.1.9-0+deb12u1 Copyright (c)')).toBe('5.1.9-0+deb12u1');
    expect(parseVersion('vlc version 3')).toBeUndefined();
  });

  it('takes 5.1 and newer, and development builds', () => {
    expect(['4.4.2', '5.0', 'n4.3'].map(isTooOld)).toEqual([true, true, true]);
    expect(['5.1.9-0+deb12u1', '7.1', 'n6.0', '10.0', 'N-117000-gabc'].map(isTooOld)).toEqual(
      Array(5).fill(false),
    );
  });
});

describe('probeFfmpeg', () => {
  it('names the path and the remedy when ffmpeg is missing', async () => {
    const probed = await probeFfmpeg('/nowhere/ffmpeg', []);
    expect(probed).toMatchObject({ ok: false, failure: { reason: 'missing' } });
    expect(JSON.stringify(probed)).toMatch(/\/nowhere\/ffmpeg.*apt-get.*dnf.*brew/);
  });

  it('names the encoders that are not there', async () => {
    const probed = await probeFfmpeg('ffmpeg', ['libx264', 'aac', 'libnothing']);
    expect(probed).toMatchObject({ ok: false, failure: { reason: 'missing-encoders' } });
    expect(JSON.stringify(probed)).toContain('without libnothing;');
  });

  it('accepts one that has them', async () => {
    expect(await probeFfmpeg('ffmpeg', ['libx264', 'aac'])).toMatchObject({
      ok: true,
      value: { path: 'ffmpeg' },
    });
  });
});
