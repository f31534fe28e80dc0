import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { format } from 'prettier';
import { DEFAULT_LADDER } from '../../origin/transcode/ladder.ts';
import { costSection, readPrices } from '../write-costs.ts';
import { DEFAULT_WORKLOAD, streamHour, total, viewerHour } from './costs.ts';

const prices = readPrices();
const DOCUMENT = new URL('../../docs/deploy.md', import.meta.url);

describe('the costs on Cloudflare', () => {
  it('of a stream are those of its objects, of its hub and of what is kept', () => {
    const [written, ...others] = streamHour(prices, DEFAULT_WORKLOAD);
    // 5 renditions, 2 parts and half a segment a second each.
    expect(written).toMatchObject({ amount: 45_000, cost: 0.2025 });
    expect(others.find(({ what }) => what.includes('GB-s'))?.amount).toBeCloseTo(460.8, 1);
    expect(others.at(-1)?.amount).toBeCloseTo(4.56, 2);
  });

  it('of a viewer are those of requests, and none for bytes', () => {
    const [requests, ...others] = viewerHour(prices, DEFAULT_WORKLOAD);
    expect(requests?.amount).toBe(28_800 + 360);
    expect(requests?.cost).toBeCloseTo(0.008_75, 5);
    expect(others.at(-1)).toMatchObject({ cost: 0 });
  });

  it('fall with longer parts', () => {
    const longer = { ...DEFAULT_WORKLOAD, partTarget: 1 };
    expect(total(viewerHour(prices, longer))).toBeLessThan(total(viewerHour(prices, DEFAULT_WORKLOAD)));
    expect(total(streamHour(prices, longer))).toBeLessThan(total(streamHour(prices, DEFAULT_WORKLOAD)));
  });

  it('are computed for the default ladder', () => {
    const video = DEFAULT_LADDER.video.map((rung) => ('bitrate' in rung ? rung.bitrate : 0));
    const bitrates = [...video, DEFAULT_LADDER.audio?.bitrate ?? 0];
    expect(DEFAULT_WORKLOAD.renditions).toBe(bitrates.length);
    expect(DEFAULT_WORKLOAD.bitrate).toBe(bitrates.reduce((sum, one) => sum + one, 0));
  });

  it('stand in docs/deploy.md as the code computes them: node cli/write-costs.ts', async () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    expect(text).toContain((await format(costSection(), { parser: 'markdown' })).trim());
  });
});
