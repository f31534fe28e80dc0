import { describe, expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { SOFTWARE_ONLY } from './encoder-table.ts';
import { KnownEncoders } from './known-encoders.ts';
import { ladderSchema, type Ladder } from './ladder.ts';

const log = createLog({ level: 'silent', pretty: false, name: 'test' });

function ladderOf(codec: string): Ladder {
  const rung = { name: 'rung', codec, height: 180, bitrate: 200_000, encoder: 'software' };
  return ladderSchema.parse({ video: [rung], audio: null });
}

describe('encoders that are known', () => {
  it('of a checked file count once it is taken over, of a declaration at once and over the next file', async () => {
    const known = new KnownEncoders('ffmpeg', log, SOFTWARE_ONLY);
    expect(known.table.works('libx264', undefined)).toBe(false);
    expect(await known.check([ladderOf('h264')])).toEqual([]);
    expect(known.table.works('libx264', undefined)).toBe(false);
    known.takeOver();
    expect(known.table.works('libx264', undefined)).toBe(true);
    expect(await known.learn([ladderOf('hevc')])).toEqual([]);
    expect(known.table.works('libx265', undefined)).toBe(true);
    expect(await known.check([])).toEqual([]);
    known.takeOver();
    expect(known.table.works('libx264', undefined)).toBe(false);
    expect(known.table.works('libx265', undefined)).toBe(true);
  });

  it('stay as they were where a ladder cannot be encoded', async () => {
    const known = new KnownEncoders('/nowhere/ffmpeg', log, SOFTWARE_ONLY);
    expect(await known.learn([ladderOf('h264')])).toHaveLength(1);
    expect(await known.check([ladderOf('h264')])).toHaveLength(1);
    known.takeOver();
    expect(known.table.works('libx264', undefined)).toBe(false);
  });
});
