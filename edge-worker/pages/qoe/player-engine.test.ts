import { describe, expect, it } from 'vitest';
import { followErrors } from './player-engine.ts';
import { pictureEnd } from './video-sample.ts';

/** A player that tells its listeners of an error. */
function speaker(): {
  readonly listeners: Map<string, (...told: unknown[]) => void>;
  readonly listen: (event: string, listener: (...told: unknown[]) => void) => void;
  readonly unlisten: (event: string) => void;
} {
  const listeners = new Map<string, (...told: unknown[]) => void>();
  return {
    listeners,
    listen: (event, listener) => void listeners.set(event, listener),
    unlisten: (event) => void listeners.delete(event),
  };
}

const report =
  (reported: unknown[]) =>
  (code: string, detail?: string): void =>
    void reported.push([code, detail]);

describe('errors of players', () => {
  it('are those that hls.js calls fatal, with the status of the answer', () => {
    const { listeners, listen, unlisten } = speaker();
    const reported: unknown[] = [];
    const hls = { levels: [], currentLevel: -1, playingDate: null, on: listen, off: unlisten };
    const stop = followErrors(hls, report(reported));
    const tell = listeners.get('hlsError');
    tell?.('hlsError', { fatal: false, details: 'bufferStalledError' });
    tell?.('hlsError', { fatal: true, details: 'fragLoadError', response: { code: 404, url: 'secret' } });
    expect(reported).toEqual([['fragLoadError', 'status 404']]);
    stop();
    expect(listeners.size).toBe(0);
  });

  it('are those of Shaka Player that it does not recover from', () => {
    const { listeners, listen, unlisten } = speaker();
    const reported: unknown[] = [];
    const shaka = {
      getVariantTracks: () => [],
      getPlayheadTimeAsDate: () => null,
      addEventListener: listen,
      removeEventListener: unlisten,
    };
    followErrors(shaka, report(reported));
    listeners.get('error')?.({ detail: { code: 1001, severity: 1 } });
    listeners.get('error')?.({ detail: { code: 3016, severity: 2 } });
    expect(reported).toEqual([['shaka 3016', undefined]]);
  });

  it('are those of dash.js', () => {
    const { listeners, listen, unlisten } = speaker();
    const reported: unknown[] = [];
    const dash = {
      getCurrentRepresentationForType: () => null,
      getCurrentLiveLatency: () => Number.NaN,
      on: listen,
      off: unlisten,
    };
    followErrors(dash, report(reported));
    listeners.get('error')?.({ error: { code: 25, message: 'https://secret' } });
    expect(reported).toEqual([['dash 25', undefined]]);
  });
});

describe('the picture', () => {
  it('ends with its media though the time goes on', () => {
    const ranges = [
      { start: 0, end: 4 },
      { start: 5, end: 9 },
    ];
    expect(pictureEnd(ranges, 3)).toBe(3);
    expect(pictureEnd(ranges, 4.5)).toBe(4);
    expect(pictureEnd(ranges, 11)).toBe(9);
    expect(pictureEnd([], 2)).toBe(2);
  });
});
