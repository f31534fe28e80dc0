/** Reads along a live MPEG-TS: finds out what the source is, and where decoding may start. */

import type { Rotation } from '#shared/codec/display-orientation.ts';
import type { Milliseconds } from '#shared/media-time.ts';
import type { SourceAudio, SourceProperties } from '../media-feed.ts';
import { AudioTracks } from './audio-tracks.ts';
import { ChunkOutput, type TransportEvent } from './chunk-output.ts';
import {
  inspectAccessUnit,
  pesPayload,
  probeVideo,
  type ProbedVideo,
  type TransportVideoCodec,
} from './elementary.ts';
import { PACKET_BYTES, parsePacket, type TransportPacket } from './packet.ts';
import { PacketSync } from './packet-sync.ts';
import type { ElementaryStream } from './program.ts';
import { ProgramTables } from './program-tables.ts';
import { selectTracks, type SelectedTracks } from './track-selection.ts';

/** Wait for every track of the PMT to show itself, milliseconds: sound that is later joins at a key frame. */
const PROBE_MILLISECONDS = 3_000;
/** Bytes held while probing: 3 s at 11 Mbit/s. */
const PROBE_BYTES = 4 * 1024 * 1024;
/** Longest wait for the first key frame of a source joined within a GOP, milliseconds. */
const KEY_FRAME_MILLISECONDS = 20_000;
/** Bytes without one transport packet after which this is something else. */
const GARBAGE_BYTES = 64 * 1024;
/** Video bytes searched for the parameter set of a key frame: it precedes the picture. */
const ACCESS_UNIT_BYTES = 4 * 1024;

/** Where a packet lies in the bytes that are looked through. */
interface PacketPlace {
  readonly run: Uint8Array;
  readonly at: number;
}

/** A pure state machine: bytes and the time in, steps of a feed out. */
export class TransportStreamProbe {
  readonly #sync = new PacketSync();
  readonly #tables = new ProgramTables();
  readonly #output = new ChunkOutput();
  #since: number | undefined;
  #tracks: SelectedTracks | undefined;
  #video: ProbedVideo | undefined;
  #rotation: Rotation | undefined;
  #audio = new AudioTracks([]);
  /** The source as announced, for comparison. */
  #announced: string | undefined;
  /** Beginning of the key frame whose parameter set is being looked for. */
  #accessUnit: Uint8Array | undefined;
  #chunkStart = 0;
  #chunkIsRandomAccess = false;
  #rejected = false;

  /** Takes the next bytes, which must not change afterwards, at a time; after `rejected` there is nothing more. */
  push(bytes: Uint8Array, now: Milliseconds): readonly TransportEvent[] {
    this.#since ??= now;
    for (const run of this.#rejected ? [] : this.#sync.push(bytes)) {
      this.#pushRun(run);
    }
    this.#enforceLimits(now);
    return this.#output.take();
  }

  #pushRun(run: Uint8Array): void {
    this.#chunkStart = 0;
    for (let at = 0; at < run.length && !this.#rejected; at += PACKET_BYTES) {
      this.#pushPacket(run, at);
    }
    this.#cut(run, run.length, false);
  }

  #pushPacket(run: Uint8Array, at: number): void {
    const packet = parsePacket(run, at);
    const streams = this.#tables.push(packet, run.subarray(at, at + PACKET_BYTES));
    if (streams !== undefined) {
      this.#cut(run, at, false);
      this.#adopt(streams);
      return;
    }
    const video = this.#tracks?.video;
    if (packet.pid === video?.pid) {
      this.#pushVideo(video.kind.codec, packet, { run, at });
    } else if (packet.unitStart && this.#audio.has(packet.pid)) {
      this.#pushAudio(packet, { run, at });
    }
  }

  /** Ends the chunk before `at`; the next one begins there. */
  #cut(run: Uint8Array, at: number, nextIsRandomAccess: boolean): void {
    if (at > this.#chunkStart && !this.#rejected) {
      const audioOnly = this.#tracks !== undefined && this.#tracks.video === undefined;
      this.#output.add(run.subarray(this.#chunkStart, at), this.#chunkIsRandomAccess || audioOnly);
    }
    this.#chunkStart = at;
    this.#chunkIsRandomAccess = nextIsRandomAccess;
  }

  #adopt(streams: readonly ElementaryStream[]): void {
    const tracks = selectTracks(streams);
    if (!tracks.ok) {
      this.#reject(tracks.failure.detail);
      return;
    }
    this.#tracks = tracks.value;
    this.#video = undefined;
    this.#audio = new AudioTracks(tracks.value.audio);
    this.#announced = undefined;
    this.#accessUnit = undefined;
    this.#since = undefined;
    this.#output.hold();
  }

  #pushVideo(codec: TransportVideoCodec, packet: TransportPacket, { run, at }: PacketPlace): void {
    if (packet.unitStart) {
      this.#endAccessUnit();
      const start = pesPayload(packet.payload);
      if (!packet.randomAccess && !inspectAccessUnit(codec, start).keyFrame) {
        return;
      }
      this.#cut(run, at, true);
      this.#accessUnit = start;
      this.#output.hold();
    } else if (this.#accessUnit !== undefined) {
      this.#accessUnit = new Uint8Array([...this.#accessUnit, ...packet.payload]);
    }
    this.#examineAccessUnit(codec);
  }

  #examineAccessUnit(codec: TransportVideoCodec): void {
    if (this.#accessUnit === undefined) {
      return;
    }
    const { sequenceParameterSet, rotation, sliceSeen } = inspectAccessUnit(codec, this.#accessUnit);
    if (sequenceParameterSet !== undefined) {
      this.#video = probeVideo(codec, sequenceParameterSet) ?? this.#video;
    }
    // Messages follow the parameter sets: all is there once the slice begins.
    if (sliceSeen) {
      this.#rotation = rotation;
    }
    if (sliceSeen || this.#accessUnit.length >= ACCESS_UNIT_BYTES) {
      this.#endAccessUnit();
    }
  }

  #endAccessUnit(): void {
    if (this.#accessUnit !== undefined) {
      this.#accessUnit = undefined;
      this.#settle();
    }
  }

  #pushAudio(packet: TransportPacket, { run, at }: PacketPlace): void {
    const told = this.#audio.take(packet.pid, pesPayload(packet.payload));
    if (told === undefined) {
      return;
    }
    const audioOnly = this.#tracks?.video === undefined;
    const changed = told === 'new';
    if (audioOnly && changed) {
      this.#cut(run, at, true);
    }
    if (this.#announced === undefined || (audioOnly && changed)) {
      this.#settle();
    }
  }

  /** Lets go of what is held as soon as every track is known, and not amid the look at a key frame. */
  #settle(): void {
    const tracks = this.#tracks;
    if (tracks === undefined || this.#accessUnit !== undefined) {
      return;
    }
    const videoMissing = tracks.video !== undefined && this.#video === undefined;
    if (this.#announced !== undefined || (!videoMissing && !this.#audio.isIncomplete)) {
      this.#release();
    }
  }

  #release(): void {
    const source = describeSource(this.#video, this.#rotation, this.#audio.known);
    const description = JSON.stringify([source, this.#video?.profile]);
    if (this.#announced === undefined) {
      this.#output.discardBeforeRandomAccess(this.#chunkIsRandomAccess);
    }
    const isNew = description !== this.#announced;
    this.#announced = description;
    this.#output.release(isNew ? { kind: 'source', source, preamble: this.#tables.preamble } : undefined);
  }

  #enforceLimits(now: Milliseconds): void {
    if (this.#rejected) {
      return;
    }
    if (this.#sync.skipped > GARBAGE_BYTES) {
      this.#reject(
        `${this.#sync.skipped} bytes without a transport packet; send MPEG-TS in packets of 188 bytes`,
      );
      return;
    }
    this.#since ??= now;
    const waited = now - this.#since;
    const full = this.#output.heldBytes > PROBE_BYTES;
    if (this.#announced !== undefined || (waited < PROBE_MILLISECONDS && !full)) {
      return;
    }
    this.#goOnWithWhatIsKnown(waited);
  }

  #goOnWithWhatIsKnown(waited: number): void {
    if (this.#tracks === undefined) {
      this.#reject('no program map table found; send MPEG-TS with PAT and PMT at least every second');
    } else if (
      this.#video !== undefined ||
      (this.#tracks.video === undefined && this.#audio.known.length > 0)
    ) {
      this.#release();
    } else if (waited < KEY_FRAME_MILLISECONDS && this.#tracks.video !== undefined) {
      this.#output.discardHeld();
    } else {
      this.#reject(
        'no key frame with parameter sets and no audio frame found; send a key frame every 2 s, unencrypted',
      );
    }
  }

  #reject(detail: string): void {
    this.#rejected = true;
    this.#output.reject(detail);
  }
}

function describeSource(
  video: ProbedVideo | undefined,
  rotation: Rotation | undefined,
  [audio, ...moreAudio]: readonly SourceAudio[],
): SourceProperties {
  const sound = { audio, ...(moreAudio.length === 0 ? {} : { moreAudio }) };
  if (video === undefined) {
    return { video, ...sound };
  }
  const { profile: _, ...properties } = video;
  return {
    video: rotation === undefined || rotation === 0 ? properties : { ...properties, rotation },
    ...sound,
  };
}
