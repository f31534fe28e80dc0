/** The dashboard in a real browser over an edge with the embedded engine: from a beacon to what an operator reads. */

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPages } from '../../cli/build-pages.ts';
import { startBrowser, type Browser } from '../support/browser.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';
import { dashboardScene } from './dashboard-scene.ts';

/** Time that the scene tells of, seconds. */
const SCENE_SECONDS = 600;
const LIMIT = { timeout: 20_000 };

let system: ChdbEdge;
let browser: Browser;
/** Heartbeats told: each has a number of its own, else it would be a replay. */
let beats = 0;

beforeAll(async () => {
  await buildPages();
  [system, browser] = await Promise.all([startChdbEdge(), startBrowser()]);
  await system.insert(dashboardScene('show', Math.floor(Date.now() / 1000), SCENE_SECONDS));
});
afterAll(async () => {
  await browser.close();
  await system.stop();
});

/** What axe-core finds against WCAG 2.2 A and AA. */
async function violations(page: Page): Promise<readonly string[]> {
  // The page's own policy lets no script of others in; a test is none of its visitors.
  const axe = await readFile('node_modules/axe-core/axe.min.js', 'utf8');
  await page.evaluate(axe);
  const found: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[] =
    await page.evaluate(`axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
      .then(({ violations }) => violations)`);
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

async function beat(stream: string): Promise<void> {
  beats += 1;
  const token = await system.edge.sign({ stream, sub: 'ann' });
  const at = Date.now();
  const answer = await fetch(`${system.edge.url}/t/${token}/beacon`, {
    method: 'POST',
    body: JSON.stringify({
      ...{ v: 1, session: 'live-1', stream, player: 'rill', playerVersion: '1', sentAt: at },
      events: [
        { event: 'heartbeat', at, seq: beats, watchedMs: 9_000, latencyMs: 2_500, bitrate: 2_800_000 },
      ],
    }),
  });
  expect(answer.status).toBe(204);
}

test('an operator sees who watches, which network stalls, and goes down to one of its sessions', async () => {
  const { page } = await browser.watch('about:blank');
  const hosts = new Set<string>();
  const wrong: string[] = [];
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  page.on('console', (message) => (message.type() === 'error' ? wrong.push(message.text()) : undefined));
  page.on('pageerror', (error) => wrong.push(error.message));
  const token = await system.edge.sign({ scope: 'analytics', stream: '*' });
  await page.goto(`${system.edge.url}/dashboard?by=asn#token=${token}`);
  // The token is out of the address at once, and what the page loads is its own.
  await page.waitForFunction(() => location.hash === '', undefined, LIMIT);
  expect(page.url()).not.toContain(token);
  await beat('news');
  await page.locator('#streams tbody tr', { hasText: 'news' }).waitFor(LIMIT);
  expect(await page.locator('#tiles dd').first().textContent()).toBe('1');
  await page.locator('#sessions button').first().waitFor(LIMIT);
  const networks = await page.locator('#where tbody tr').allTextContents();
  expect(networks.filter((row) => row.includes('AS3209'))).toHaveLength(1);
  expect(await page.locator('#where tbody tr', { hasText: 'AS3209' }).locator('td.bad').count()).toBe(1);
  expect(await page.locator('#where tbody tr', { hasText: 'AS3320' }).locator('td.bad').count()).toBe(0);
  expect(await page.locator('#charts canvas').count()).toBe(6);
  // By keyboard: the first session's button has the focus and opens its timeline, which takes the focus.
  await page.locator('#sessions button').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'session', undefined, LIMIT);
  expect(await page.locator('#session-strip').getAttribute('aria-label')).toMatch(/^watched .*, stalled /);
  expect(await page.locator('#session-events tbody tr').count()).toBeGreaterThan(20);
  expect(page.url()).toMatch(/[?&]session=show-/);
  // Without `play` in its scope a token brings no picture, and says why.
  await page.locator('#streams button', { hasText: 'show' }).last().click();
  await page.locator('#picture-state', { hasText: 'lacks the scope' }).waitFor(LIMIT);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect([...hosts]).toEqual([new URL(system.edge.url).host]);
  expect(wrong.filter((text) => !text.includes('409'))).toEqual([]);
  await page.close();
});

test.each([
  ['light', 1280],
  ['light', 360],
  ['dark', 1280],
  ['dark', 360],
] as const)(
  'axe finds nothing against the figures in %s colours at a width of %i',
  async (colorScheme, width) => {
    const { page } = await browser.watch('about:blank');
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await beat('news');
    const token = await system.edge.sign({ scope: 'analytics', stream: '*' });
    await page.goto(`${system.edge.url}/dashboard?by=country,asn#token=${token}`);
    await page.locator('#streams tbody tr', { hasText: 'news' }).waitFor(LIMIT);
    await page.locator('#sessions button').first().click();
    await page.locator('#session-events tbody tr').first().waitFor(LIMIT);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.close();
  },
);

test('a stream that is live has a row before anybody watches it', async () => {
  const { page } = await browser.watch('about:blank');
  const token = await system.edge.sign({ scope: 'analytics', stream: '*' });
  await page.goto(`${system.edge.url}/dashboard#token=${token}`);
  await system.edge.origin.publishPart(new Uint8Array(1_000));
  const row = page.locator('#streams tbody tr', { hasText: 'show' }).filter({ hasText: /^show/ });
  await row.waitFor(LIMIT);
  expect(await row.locator('td').allTextContents()).toEqual(expect.arrayContaining(['live', '0']));
  await page.close();
});

test('without a token the page asks for one, and a refused one is said to be', async () => {
  const { page } = await browser.watch(`${system.edge.url}/dashboard`);
  await page.locator('#sign-in').waitFor(LIMIT);
  expect(await page.locator('#main').isVisible()).toBe(false);
  await page.locator('#token').fill(await system.edge.sign({ stream: 'show' }));
  await page.keyboard.press('Enter');
  await page.locator('#sign-in-message', { hasText: 'refused' }).waitFor(LIMIT);
  await page.locator('#token').fill(await system.edge.sign({ scope: 'analytics', stream: '*' }));
  await page.keyboard.press('Enter');
  await page.locator('#charts canvas').first().waitFor(LIMIT);
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  await page.close();
});

test('a token for one stream shows that one', async () => {
  const { page } = await browser.watch('about:blank');
  const token = await system.edge.sign({ scope: 'analytics', stream: 'show' });
  await page.goto(`${system.edge.url}/dashboard#token=${token}`);
  await page.locator('#charts canvas').first().waitFor(LIMIT);
  expect(await page.locator('#stream option').allTextContents()).toEqual(['show']);
  await page.locator('#state', { hasText: 'Live' }).waitFor(LIMIT);
  await page.close();
});

test('a picture asks for the scope "play" besides, and is a token for that stream alone', async () => {
  const ask = async (claims: Record<string, unknown>, stream: string): Promise<Response> => {
    const token = await system.edge.sign({ stream: '*', ...claims });
    return fetch(`${system.edge.url}/v1/qos/picture?stream=${stream}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  };
  const answer = await ask({ scope: 'analytics play' }, 'show');
  const { token }: { readonly token: string } = await answer.json();
  const play = async (stream: string): Promise<number> =>
    (await fetch(`${system.edge.url}/t/${token}/live/${stream}/index.m3u8`)).status;
  expect([answer.status, await play('other')]).toEqual([200, 403]);
  // Let in, whether or not something is published.
  expect([200, 404]).toContain(await play('show'));
  expect((await ask({ scope: 'analytics' }, 'show')).status).toBe(409);
  expect((await ask({ scope: 'play' }, 'show')).status).toBe(403);
  expect((await ask({ scope: 'analytics play', stream: 'show' }, 'other')).status).toBe(409);
  expect((await ask({ scope: 'analytics play' }, 'Show')).status).toBe(400);
});
