/** The stream hub: one Durable Object per stream, the only place that knows its live edge. */

import { DurableObject } from 'cloudflare:workers';
import {
  decodePublishFrames,
  MAX_BODY_BYTES,
  type FrameFailure,
  type HubLoad,
  type HubPosition,
  type PublishAnswer,
} from '#shared/wire/publish.ts';
import { parseDirectives } from './directives.ts';
import { HubLease, MAX_LEASE_BODY_BYTES, readLeaseRequest, readPublisher } from './hub-lease.ts';
import { LOOKUP_HEADER, PART_TARGET_HEADER, PARTS_HEADER, TARGET_DURATION_HEADER } from './hub-headers.ts';
import { routeOf, type HubRoute } from './hub-route.ts';
import { HubStorage } from './hub-storage.ts';
import { LiveStream, type MediaOutcome, type PlaylistOutcome } from './live-stream.ts';
import type { LeaseMoment } from './lease.ts';
import { describeListed } from './listed.ts';
import { nextMsnOf } from './live-window.ts';
import { readBody } from './read-body.ts';

/** The hub needs nothing of its environment. */
export interface HubEnv {}

/**
 * How long after its origin's last word a stream is ended for it, milliseconds: an origin that is alive gives up what
 * it could not deliver after a minute, and a machine that restarts is back within ten.
 */
const ORPHANED_MS = 10 * 60_000;
/** How long an ended stream's playlists stay, milliseconds: a week, then nothing of it is left here. */
const RETAINED_MS = 7 * 24 * 60 * 60_000;

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const MEDIA_TYPE = 'video/mp4';
/** What a playlist with EXT-X-ENDLIST is asked with: its directives are ignored, wrong ones as well. */
const NO_DIRECTIVES = new URLSearchParams();

/** Holds one stream's live window, its newest bytes and the requests that wait for the next. */
export class StreamHub extends DurableObject<HubEnv> {
  #storage: HubStorage;
  #live: LiveStream;
  #lease: HubLease;
  #playlistsAsked = 0;
  #mediaAsked = 0;

  constructor(state: DurableObjectState, env: HubEnv) {
    super(state, env);
    this.#storage = new HubStorage(state.storage.sql);
    this.#live = new LiveStream(this.#storage.load());
    this.#lease = this.#openLease();
  }

  /** Requests that are held right now. */
  get held(): number {
    return this.#live.held;
  }

  /** Answers what the gateway (publish) and delivery (live) forward. */
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    return this.#answer(routeOf(request.method, url.pathname), request, url.searchParams);
  }

  async #answer(route: HubRoute, request: Request, query: URLSearchParams): Promise<Response> {
    switch (route.kind) {
      case 'publish':
        return this.#publish(route.epoch, request);
      case 'position':
        return Response.json(this.#position());
      case 'lease':
        return this.#takeLease(request);
      case 'load':
        return Response.json(this.#load());
      case 'multivariant':
        this.#playlistsAsked += 1;
        return playlistResponse(this.#live.multivariantPlaylist());
      case 'media-playlist': {
        this.#playlistsAsked += 1;
        const directives = parseDirectives(this.#live.window?.ended === true ? NO_DIRECTIVES : query);
        return directives.ok
          ? playlistResponse(await this.#live.mediaPlaylist(route.rendition, directives.value))
          : textResponse(400, directives.failure.detail);
      }
      case 'media':
        this.#mediaAsked += 1;
        return mediaResponse(await this.#live.media(route.rendition, route.file));
      case 'unknown':
        return textResponse(404, 'no such resource');
    }
  }

  async #publish(epoch: number, request: Request): Promise<Response> {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === undefined) {
      return answerResponse({ status: 'invalid', detail: `the body exceeds ${MAX_BODY_BYTES} bytes` }, 413);
    }
    const frames = decodePublishFrames(body);
    if (!frames.ok) {
      const status = frames.failure.reason === 'too-large' ? 413 : 400;
      return answerResponse({ status: 'invalid', detail: describeFailure(frames.failure) }, status);
    }
    const publisher = readPublisher(request.headers);
    if (publisher === 'invalid') {
      return answerResponse(
        { status: 'invalid', detail: 'the origin does not name itself as it has to' },
        400,
      );
    }
    const refusal = this.#lease.refuse(publisher, epoch, this.#moment());
    const answer = refusal ?? this.#live.publish(epoch, frames.value);
    if (refusal === undefined && this.#live.window?.ended === true) {
      this.#lease.free();
    }
    await this.#write();
    return answerResponse(answer, statusOf(answer));
  }

  async #takeLease(request: Request): Promise<Response> {
    const body = await readBody(request, MAX_LEASE_BODY_BYTES);
    const asked = body === undefined ? undefined : readLeaseRequest(body);
    if (asked === undefined) {
      return answerResponse({ status: 'invalid', detail: 'not a lease request' }, 400);
    }
    const { answer, end } = this.#lease.decide(asked, this.#moment());
    if (end && this.#live.endOrphaned()) {
      await this.#write();
    }
    return Response.json(answer, { status: answer.status === 'held' ? 409 : 200 });
  }

  /** A lease of a stream that is never published goes with the alarm. */
  #openLease(): HubLease {
    return new HubLease(this.#storage.loadLease(), Date.now(), (body) => {
      this.#storage.writeLease(body);
      if (this.#live.window === undefined) {
        void this.ctx.storage.setAlarm(Date.now() + ORPHANED_MS);
      }
    });
  }

  #moment(): LeaseMoment {
    const { latestEpoch, nextMsn } = this.#position();
    return { now: Date.now(), latestEpoch, nextMsn };
  }

  /**
   * The object's output gate holds every response begun after a write until the write is durable, so the
   * released requests get a turn to begin theirs before anything is written.
   */
  async #write(): Promise<void> {
    if (this.#live.unwritten() === undefined) {
      return;
    }
    await scheduler.wait(0);
    const now = Date.now();
    this.#storage.noteHeard(now);
    await this.#writeNow(now);
  }

  /** Statements without an await between them are one transaction, the alarm included. */
  async #writeNow(now: number): Promise<void> {
    const unwritten = this.#live.unwritten();
    if (unwritten === undefined) {
      return;
    }
    this.#storage.write(unwritten.changes, unwritten.inits, unwritten.oldestInits);
    this.#live.markWritten();
    if (unwritten.changes.epochRow !== undefined) {
      await this.ctx.storage.setAlarm(now + (this.#live.window?.ended === true ? RETAINED_MS : ORPHANED_MS));
    }
  }

  /** Ends what was orphaned, forgets what ended long ago, and looks again when either is next due. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    const due = this.#storage.heardAt + (this.#live.window?.ended === true ? RETAINED_MS : ORPHANED_MS);
    if (now < due) {
      await this.ctx.storage.setAlarm(due);
    } else if (this.#live.endOrphaned()) {
      await this.#writeNow(now);
    } else {
      await this.ctx.storage.deleteAll();
      this.#storage = new HubStorage(this.ctx.storage.sql);
      this.#live = new LiveStream(undefined);
      this.#lease = this.#openLease();
    }
  }

  #load(): HubLoad {
    return { held: this.#live.held, playlists: this.#playlistsAsked, media: this.#mediaAsked };
  }

  #position(): HubPosition {
    const { window } = this.#live;
    return {
      latestEpoch: window?.epoch ?? 0,
      nextMsn: nextMsnOf(window),
      listed: window === undefined ? null : describeListed(window),
    };
  }
}

function describeFailure(failure: FrameFailure): string {
  switch (failure.reason) {
    case 'truncated':
      return `the frame at byte ${failure.at} is cut off`;
    case 'too-large':
      return `the frame at byte ${failure.at} exceeds ${failure.limit} bytes`;
    case 'malformed':
      return `the frame at byte ${failure.at}: ${failure.detail}`;
  }
}

function statusOf(answer: PublishAnswer): number {
  switch (answer.status) {
    case 'accepted':
      return 200;
    case 'gap':
    case 'stale':
    case 'fenced':
      return 409;
    case 'invalid':
      return 400;
  }
}

function answerResponse(answer: PublishAnswer, status: number): Response {
  return Response.json(answer, { status });
}

function playlistResponse(outcome: PlaylistOutcome): Response {
  switch (outcome.kind) {
    case 'text': {
      const { targetDuration, partTarget } = outcome.window.begin;
      return new Response(outcome.text, {
        headers: {
          'content-type': PLAYLIST_TYPE,
          [TARGET_DURATION_HEADER]: String(targetDuration),
          [PART_TARGET_HEADER]: String(partTarget),
        },
      });
    }
    case 'absent':
      return textResponse(404, 'nothing to play here (yet)');
    case 'too-far':
      return textResponse(400, `_HLS_msn is more than two segments beyond ${outcome.lastMsn}`);
    case 'held-too-long':
      return textResponse(503, 'the stream has not moved on for three target durations');
    case 'too-many':
      return textResponse(503, 'too many requests are held');
  }
}

function mediaResponse(outcome: MediaOutcome): Response {
  switch (outcome.kind) {
    case 'bytes':
      return new Response(outcome.bytes, { headers: { 'content-type': MEDIA_TYPE } });
    case 'storage': {
      const response = textResponse(404, 'not in memory');
      response.headers.set(LOOKUP_HEADER, 'storage');
      if (outcome.parts !== undefined) {
        response.headers.set(PARTS_HEADER, String(outcome.parts));
      }
      return response;
    }
    case 'absent':
      return textResponse(404, 'no such media');
    case 'too-many':
      return textResponse(503, 'too many requests are held');
  }
}

function textResponse(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain' } });
}
