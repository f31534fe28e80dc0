/**
 * Who has to answer how much, by arithmetic: requests a second at one stream's hub and at its relays, for audiences
 * from a thousand to ten million viewers over 300 locations, with and without cache and relays. Everything that
 * is assumed is a constant here, on the high side; nothing is measured. Run with `npm run bench:fanout`.
 */

import { print } from './report.ts';

/** Data centres that have viewers. */
const LOCATIONS = 300;
/** Regions with relays of their own, one for each rendition: Cloudflare's location hints that `regionOf` chooses from. */
const REGIONS = 9;
/** Upper tiers of a tiered cache, through which all locations of a stream's audience miss (Smart Tiered: one). */
const UPPER_TIERS = 1;
/** Soft limit of a Durable Object, requests a second, as documented by Cloudflare. */
const OBJECT_LIMIT = 1_000;
/** Video renditions and one of audio. */
const RENDITIONS = 5;
/** A viewer plays one video rendition and the audio. */
const RENDITIONS_PER_VIEWER = 2;
/** Seconds. */
const PART = 0.5;
/** Seconds. */
const SEGMENT = 2;
/** Distinct reloads for one update: whole and as delta update. */
const RELOAD_FORMS = 2;
/** Of the viewers, those who play segments rather than parts, and reload without directives once a segment. */
const PLAIN_SHARE = 0.05;
/** Share of a location's misses for one key that leave it although another is under way: its machines' doing. */
const UNCOLLAPSED = 0.02;
const AUDIENCES = [1_000, 100_000, 10_000_000];

/** How requests get from viewers to the hub. */
interface Way {
  readonly name: string;
  readonly cached: boolean;
  /** Misses of the locations meet in an upper tier before they leave the cache. */
  readonly tiered: boolean;
  readonly relayed: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'nothing between', cached: false, tiered: false, relayed: false },
  { name: 'relays', cached: false, tiered: false, relayed: true },
  { name: 'cache, no tiers', cached: true, tiered: false, relayed: false },
  { name: 'cache, no tiers, relays', cached: true, tiered: false, relayed: true },
  { name: 'tiered cache', cached: true, tiered: true, relayed: false },
  { name: 'tiered cache, relays', cached: true, tiered: true, relayed: true },
];

/** Requests a second that one viewer makes, reloads and media. */
function viewerRate(): number {
  const lowLatency = RENDITIONS_PER_VIEWER * (2 / PART);
  const plain = RENDITIONS_PER_VIEWER * (2 / SEGMENT);
  return (1 - PLAIN_SHARE) * lowLatency + PLAIN_SHARE * plain;
}

/** Different things a second that a location with viewers of every kind asks for: what one copy each costs. */
function distinctRate(): number {
  const reloads = RELOAD_FORMS / PART + 1;
  const media = 1 / PART + 1 / SEGMENT;
  return RENDITIONS * (reloads + media);
}

/** Requests a second that leave the places where `viewers` are gathered in `places` of equal size. */
function missRate(viewers: number, places: number): number {
  const perPlace = viewers / places;
  const asked = perPlace * viewerRate();
  const once = Math.min(asked, distinctRate());
  return places * (once + UNCOLLAPSED * Math.min(asked - once, distinctRate()));
}

function rates(viewers: number, way: Way): { readonly hub: number; readonly relay: number } {
  const located = Math.min(LOCATIONS, viewers);
  const arriving = leavingCache(viewers, located, way);
  if (!way.relayed) {
    return { hub: arriving, relay: 0 };
  }
  // A region's relays send on each thing once, whatever the region asks; its viewers share them by rendition.
  const perRegion = arriving / REGIONS;
  const busiestShare = way.cached ? 1 / RENDITIONS : 1 / RENDITIONS_PER_VIEWER;
  return { hub: REGIONS * Math.min(perRegion, distinctRate()), relay: perRegion * busiestShare };
}

function leavingCache(viewers: number, located: number, way: Way): number {
  if (!way.cached) {
    return viewers * viewerRate();
  }
  // The region is part of the cache's key where relays are on, so each has tiers' copies of its own.
  const places = way.tiered ? UPPER_TIERS * (way.relayed ? REGIONS : 1) : located;
  return missRate(viewers, places);
}

function format(rate: number): string {
  return Math.round(rate).toLocaleString('en-US');
}

function verdict({ hub, relay }: { readonly hub: number; readonly relay: number }): string {
  const busiest = Math.max(hub, relay);
  return busiest <= OBJECT_LIMIT ? 'holds' : `${(busiest / OBJECT_LIMIT).toFixed(1)} times too much`;
}

function main(): void {
  print('# Fan-out of one stream: requests a second at its hub and at each relay');
  print(
    `${LOCATIONS} locations, ${REGIONS} regions, ${RENDITIONS} renditions, parts of ${PART} s, segments of ${SEGMENT} s`,
  );
  print(
    `a viewer asks ${viewerRate().toFixed(1)} times a second; of different things there are ${distinctRate()} a second`,
  );
  print(`soft limit of a Durable Object: ${format(OBJECT_LIMIT)} requests a second`);
  print('');
  print('| viewers | between viewers and hub | at the hub | at each relay | one object each |');
  print('| ------: | ----------------------- | ---------: | ------------: | --------------- |');
  for (const viewers of AUDIENCES) {
    for (const way of WAYS) {
      const rate = rates(viewers, way);
      const relay = way.relayed ? format(rate.relay) : '–';
      print(`| ${format(viewers)} | ${way.name} | ${format(rate.hub)} | ${relay} | ${verdict(rate)} |`);
    }
  }
}

main();
