import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveResourcePath, parseLiveResource } from './resource.ts';

describe('parseLiveResource', () => {
  it.each([
    ['/live/show/index.m3u8', 'multivariant-playlist'],
    ['/live/show/720p/index.m3u8', 'media-playlist'],
    ['/live/show/720p/1800000000-init.mp4', 'media'],
    ['/live/show/720p/1800000000-42.m4s', 'media'],
    ['/live/show/720p/1800000000-42.3.m4s', 'media'],
  ])('reads %s and renders it back', (path, kind) => {
    const resource = parseLiveResource(path);
    expect(resource).toMatchObject({ ok: true, value: { kind } });
    expect(resource.ok && liveResourcePath(resource.value)).toBe(path);
  });

  it.each([
    '/live',
    '/live/',
    '/live//index.m3u8',
    '/live/show',
    '/live/show/',
    '/live/show/720p',
    '/live/show/720p/',
    '/live/show/index.m3u8/',
    '/live/show/720p/x/index.m3u8',
    '/live/../index.m3u8',
    '/live/..%2Fshow/index.m3u8',
    '/live/show%2F720p/index.m3u8',
    '/live/sh%C3%B6w/index.m3u8',
    '/live/Show/index.m3u8',
    `/live/${'a'.repeat(300)}/index.m3u8`,
    `/live/show/${'a'.repeat(300)}/index.m3u8`,
    '/live/show/720p/01-2.m4s',
    '/live/show/720p/1-2.m4s.',
    '/vod/show/index.m3u8',
  ])('refuses %s', (path) => {
    expect(parseLiveResource(path)).toMatchObject({ ok: false, failure: { reason: 'unknown-resource' } });
  });

  it('refuses or renders back any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = `/live/${text}`;
        const resource = parseLiveResource(path);
        expect(!resource.ok || liveResourcePath(resource.value) === path).toBe(true);
      }),
    );
  });
});
