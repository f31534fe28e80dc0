/**
 * What is fuzzed: each reader of bytes that others send, driven as the origin drives it. A target returns normally
 * or throws the one error its reader names; what it may hold is checked as it goes.
 */

import { milliseconds } from '#shared/media-time.ts';
import { decodeAmf0 } from '../../origin/ingest/flv/amf0-decode.ts';
import { SourceAssembler } from '../../origin/ingest/flv/source-assembler.ts';
import { PACKET_BYTES, SYNC_BYTE } from '../../origin/ingest/mpegts/packet.ts';
import { TransportStreamProbe } from '../../origin/ingest/mpegts/probe.ts';
import { ChunkReader } from '../../origin/ingest/rtmp/chunk-reader.ts';
import { readCommand } from '../../origin/ingest/rtmp/command.ts';
import { CommandSession } from '../../origin/ingest/rtmp/command-session.ts';
import { HANDSHAKE_BYTES, ServerHandshake } from '../../origin/ingest/rtmp/handshake.ts';
import { RTMP_LIMITS } from '../../origin/ingest/rtmp/limits.ts';
import { readMediaMessage } from '../../origin/ingest/rtmp/media-message.ts';
import {
  AGGREGATE,
  COMMAND_AMF0,
  COMMAND_AMF3,
  DATA_AMF0,
  type RtmpMessage,
} from '../../origin/ingest/rtmp/message.ts';
import { RtmpProtocolError } from '../../origin/ingest/rtmp/protocol-error.ts';
import { FragmentReader } from '../../origin/package/fragment-reader.ts';
import { Mp4FormatError } from '../../origin/package/mp4-format-error.ts';
import { pieces, type Random } from './mutate.ts';

/** A reader under test. */
export interface FuzzTarget {
  /** First part of the names of its corpus files. */
  readonly name: string;
  /** Reads one case; throws {@link FuzzTarget.error} or nothing. */
  readonly run: (bytes: Uint8Array, random: Random) => void;
  /** The only class of errors that may come out; `undefined` where none may. */
  readonly error: typeof RtmpProtocolError | typeof Mp4FormatError | undefined;
}

/** Bytes that come out of a reader for each that went in, at most: what is held back comes with tables before it. */
const MAX_GROWTH = 4;
const GROWTH_ALLOWANCE_BYTES = 64 * 1024;
/** Samples out of one case: 8 bytes of MP4 hold one. */
const MAX_SAMPLES = 100_000;
/** Media time that passes from piece to piece, milliseconds. */
const PIECE_MS = 40;

const PAYLOAD_BYTES = 184;
const MAX_SECTION_BYTES = 1024;
const SECTION_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const CRC_POLYNOMIAL = 0x04c1_1db7;
const PROGRAM_MAP_PID = 0x1000;
const NULL_PID = 0x1fff;
/** Pointer field and a PAT with program 1 on {@link PROGRAM_MAP_PID}. */
const PROGRAM_ASSOCIATION = Uint8Array.of(
  0,
  ...withChecksum(Uint8Array.of(0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0)),
);

/** Everything that reads what an encoder, or ffmpeg, sends. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'rtmp', run: readConnection, error: RtmpProtocolError },
  { name: 'amf0', run: readAmf0, error: RtmpProtocolError },
  { name: 'flv', run: readFlv, error: RtmpProtocolError },
  { name: 'mpegts', run: readTransportStream, error: undefined },
  { name: 'psi', run: readProgramTable, error: undefined },
  { name: 'mp4', run: readMp4, error: Mp4FormatError },
];

/** A connection's bytes from C0 on, through handshake, chunks, commands and media. */
function readConnection(bytes: Uint8Array, random: Random): void {
  const handshake = new ServerHandshake(new Uint8Array(HANDSHAKE_BYTES));
  const reader = new ChunkReader(RTMP_LIMITS);
  const session = new CommandSession();
  const assembler = new SourceAssembler();
  const budget = new Budget(bytes.length);
  let open = false;
  for (const piece of pieces(bytes, random)) {
    const rest: Uint8Array | undefined = open ? piece : handshake.take(piece).rest;
    open = rest !== undefined;
    for (const message of reader.read(rest ?? new Uint8Array())) {
      budget.spend(message.payload.length);
      takeMessage(message, session, assembler);
    }
  }
}

function takeMessage(message: RtmpMessage, session: CommandSession, assembler: SourceAssembler): void {
  if (message.typeId === COMMAND_AMF0 || message.typeId === COMMAND_AMF3) {
    session.take(readCommand(message));
    return;
  }
  takeMedia(message, assembler);
}

function takeMedia(message: RtmpMessage, assembler: SourceAssembler): void {
  for (const input of readMediaMessage(message)) {
    if (input.kind === 'tag') {
      assembler.take(input.tag);
    } else {
      assembler.takeMetadata(input.metadata);
    }
  }
}

/** The same values as command and as metadata. */
function readAmf0(bytes: Uint8Array): void {
  decodeAmf0(bytes);
  const message = { chunkStreamId: 3, timestamp: 0, streamId: 0, payload: bytes };
  takeMedia({ ...message, typeId: DATA_AMF0 }, new SourceAssembler());
  new CommandSession().take(readCommand({ ...message, typeId: COMMAND_AMF0 }));
}

/** Tags one behind the other, which is what an aggregate message is. */
function readFlv(bytes: Uint8Array): void {
  const assembler = new SourceAssembler();
  const message = { chunkStreamId: 6, timestamp: 0, streamId: 1, typeId: AGGREGATE, payload: bytes };
  takeMedia(message, assembler);
  assembler.decide();
}

function readTransportStream(bytes: Uint8Array, random: Random): void {
  const probe = new TransportStreamProbe();
  const budget = new Budget(bytes.length);
  let now = 0;
  for (const piece of pieces(bytes, random)) {
    now += PIECE_MS;
    for (const event of probe.push(Uint8Array.from(piece), milliseconds(now))) {
      budget.spend(event.kind === 'media' ? event.bytes.length : 0);
    }
  }
}

/** A program's map with the checksum made right again: damage that a checksum tells never gets as far. */
function readProgramTable(bytes: Uint8Array): void {
  const section = withChecksum(bytes.subarray(0, MAX_SECTION_BYTES - CHECKSUM_BYTES));
  const packets = [packetOf(0, PROGRAM_ASSOCIATION, true)];
  const table = Uint8Array.of(0, ...section);
  for (let at = 0; at < table.length; at += PAYLOAD_BYTES) {
    packets.push(packetOf(PROGRAM_MAP_PID, table.subarray(at, at + PAYLOAD_BYTES), at === 0));
  }
  const padding = packetOf(NULL_PID, new Uint8Array(), false);
  new TransportStreamProbe().push(Buffer.concat([...packets, padding, padding]), milliseconds(0));
}

/** A transport packet with its payload at the front, so that a table begins where it says. */
function packetOf(pid: number, payload: Uint8Array, unitStart: boolean): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES).fill(0xff);
  packet.set([SYNC_BYTE, (unitStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10]);
  packet.set(payload, PACKET_BYTES - PAYLOAD_BYTES);
  return packet;
}

/** Sets section_length and appends CRC_32, ISO/IEC 13818-1 annex A. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const section = new Uint8Array(bytes.length + CHECKSUM_BYTES);
  section.set(bytes);
  const length = section.length - SECTION_HEADER_BYTES;
  section.set([0xb0 | (length >> 8), length & 0xff], 1);
  const end = section.length - CHECKSUM_BYTES;
  new DataView(section.buffer).setUint32(Math.max(0, end), crc32(section.subarray(0, Math.max(0, end))));
  return section;
}

function crc32(bytes: Uint8Array): number {
  let register = 0xffff_ffff;
  for (const byte of bytes) {
    register ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) {
      register = (register << 1) ^ (register < 0 ? CRC_POLYNOMIAL : 0);
    }
  }
  return register >>> 0;
}

function readMp4(bytes: Uint8Array, random: Random): void {
  const reader = new FragmentReader();
  let samples = 0;
  for (const piece of pieces(bytes, random)) {
    samples += reader.push(Uint8Array.from(piece)).filter(({ kind }) => kind === 'sample').length;
  }
  if (samples > MAX_SAMPLES) {
    throw new Error(`${samples} samples out of ${bytes.length} bytes`);
  }
}

/** Says where more comes out of a reader than its input allows. */
class Budget {
  readonly #limit: number;
  #spent = 0;

  constructor(inputBytes: number) {
    this.#limit = inputBytes * MAX_GROWTH + GROWTH_ALLOWANCE_BYTES;
  }

  spend(bytes: number): void {
    this.#spent += bytes;
    if (this.#spent > this.#limit) {
      throw new Error(`${this.#spent} bytes came out, at most ${this.#limit} were expected`);
    }
  }
}
