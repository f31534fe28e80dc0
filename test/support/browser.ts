/** A real Chromium that plays the watch page and reads the wall clock back from its picture. */

import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../../cli/setup.mjs';
import { readStamp } from './wall-clock-stamp.ts';

const PLAY_LIMIT_MS = 60_000;
const CANVAS = { width: 640, height: 360 };
const VIDEO = '<video muted autoplay playsinline width="640" height="360"></video>';
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
];

/** What is on screen at an instant. */
export interface Seen {
  readonly currentTime: number;
  readonly bufferSeconds: number;
  readonly stalled: boolean;
  /** Now less the clock in the picture, `undefined` where the picture has none. */
  readonly latencyMs: number | undefined;
}

/** An open watch page. */
export interface WatchedPage {
  readonly page: Page;
  /** Resolves when the video's time advances. */
  playing(): Promise<void>;
  look(): Promise<Seen>;
}

/** A running browser. */
export interface Browser {
  /** Opens a watch page. */
  watch(url: string): Promise<WatchedPage>;
  /** Plays a multivariant playlist with hls.js as it comes: its defaults and `lowLatencyMode`. */
  playWithDefaults(playlist: string): Promise<WatchedPage>;
  /** Plays a multivariant playlist with Shaka Player in low-latency mode, from a page of another origin. */
  playWithShaka(playlist: string): Promise<WatchedPage>;
  close(): Promise<void>;
}

/** Starts Chromium without a window. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('no Chromium found: install the package "chromium"');
  }
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const open = (): Promise<Page> => browser.newPage({ viewport: { width: 1280, height: 900 } });
  return {
    watch: async (url) => {
      const page = await open();
      await page.goto(url);
      return watched(page);
    },
    playWithDefaults: async (playlist) => {
      const page = await open();
      await page.goto(new URL('/healthz', playlist).href);
      await page.setContent(VIDEO);
      await page.addScriptTag({ path: 'node_modules/hls.js/dist/hls.min.js' });
      const play = `{ const hls = new Hls({ lowLatencyMode: true });
        hls.loadSource(${JSON.stringify(playlist)});
        hls.attachMedia(document.querySelector('video')); }`;
      await page.addScriptTag({ content: play });
      return watched(page);
    },
    playWithShaka: async (playlist) => {
      // Stays on about:blank, whose origin is nobody's: every request is a cross-origin one.
      const page = await open();
      await page.setContent(VIDEO);
      await page.addScriptTag({ path: 'node_modules/shaka-player/dist/shaka-player.compiled.js' });
      await page.addScriptTag({ content: shakaScript(playlist) });
      return watched(page);
    },
    close: () => browser.close(),
  };
}

/**
 * Sequence mode, since in its other mode Shaka Player (5.2.12 and before) resets the source buffer with each part
 * and so loses those that begin without a key frame (shaka-project/shaka-player issue 10589). An answer of 404 while
 * live is no end: Shaka asks again by itself, and an encoder that reconnects takes back a part that was hinted.
 */
function shakaScript(playlist: string): string {
  return `(async () => {
    const video = document.querySelector('video');
    const player = new shaka.Player();
    const tell = (error) => {
      const retried = error.code === shaka.util.Error.Code.BAD_HTTP_STATUS && player.isLive();
      if (error.severity === shaka.util.Error.Severity.CRITICAL && !retried) {
        video.dispatchEvent(new CustomEvent('fatalerror', { detail: error.category + '/' + error.code }));
      }
    };
    player.addEventListener('error', (event) => tell(event.detail));
    player.configure({ streaming: { lowLatencyMode: true }, manifest: { hls: { sequenceMode: true } } });
    await player.attach(video);
    await player.load(${JSON.stringify(playlist)}).catch(tell);
  })();`;
}

function watched(page: Page): WatchedPage {
  return {
    page,
    playing: async () => {
      await page.waitForFunction(
        () => {
          const video = document.querySelector('video');
          return video !== null && video.currentTime > 0 && !video.paused && video.readyState >= 3;
        },
        undefined,
        { timeout: PLAY_LIMIT_MS },
      );
    },
    look: () => look(page),
  };
}

async function look(page: Page): Promise<Seen> {
  const seen = await page.evaluate((size) => {
    const video = document.querySelector('video');
    if (video === null) {
      throw new Error('the page has no video');
    }
    const canvas = document.createElement('canvas');
    canvas.width = size.width;
    canvas.height = size.height;
    const context = canvas.getContext('2d');
    if (context === null) {
      throw new Error('no 2d canvas');
    }
    context.drawImage(video, 0, 0, size.width, size.height);
    const now = Date.now();
    const rows = Math.ceil((size.width / 20) * 2);
    const pixels = context.getImageData(0, 0, size.width, rows).data;
    const luma: number[] = [];
    for (let at = 0; at < pixels.length; at += 4) {
      luma.push(pixels[at + 1] ?? 0);
    }
    const end = video.buffered.length === 0 ? 0 : video.buffered.end(video.buffered.length - 1);
    return {
      luma,
      now,
      currentTime: video.currentTime,
      bufferSeconds: end - video.currentTime,
      stalled: video.readyState < 3,
    };
  }, CANVAS);
  const plane = { data: Uint8Array.from(seen.luma), ...CANVAS, stride: CANVAS.width };
  const stamp = readStamp(plane, seen.now);
  return {
    currentTime: seen.currentTime,
    bufferSeconds: seen.bufferSeconds,
    stalled: seen.stalled,
    latencyMs: stamp === undefined ? undefined : seen.now - stamp,
  };
}
