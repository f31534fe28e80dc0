/** Statistics of an SRT connection, read from libsrt's SRT_TRACEBSTATS (`srt.h`, struct CBytePerfMon). */

import type { SrtEncryption } from './encryption.ts';

/** What a connection has seen. Totals count from the handshake on. */
export interface SrtStatistics {
  readonly stream: string;
  readonly remoteAddress: string;
  /** `listener` where the encoder called us, `caller` where we called it. */
  readonly mode: 'listener' | 'caller';
  readonly encryption: SrtEncryption;
  /** Smoothed round trip, milliseconds. */
  readonly rttMs: number;
  /** Received during the last interval, megabits per second. */
  readonly receiveRateMbps: number;
  /** What libsrt takes the path to carry, megabits per second; 0 until it knows. */
  readonly linkMbps: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  /** Packets that were missing at first. */
  readonly packetsLost: number;
  /** Retransmitted packets that arrived. */
  readonly packetsRetransmitted: number;
  /** Packets that were too late to be delivered: the picture is broken there. */
  readonly packetsDropped: number;
  /** Packets that could not be decrypted. */
  readonly packetsUndecrypted: number;
  /** Media time waiting in libsrt's receive buffer, milliseconds. */
  readonly bufferMs: number;
  readonly bufferBytes: number;
  /** Delay before delivery that both sides agreed on, milliseconds. */
  readonly latencyMs: number;
}

/** One reading of the C structure; `packetsRetransmittedInInterval` starts anew with each reading. */
export interface TraceReading extends Omit<
  SrtStatistics,
  'stream' | 'remoteAddress' | 'mode' | 'encryption' | 'packetsRetransmitted'
> {
  readonly packetsRetransmittedInInterval: number;
}

/** Bytes handed to libsrt for the structure: 496 in version 1.5, with room for fields that later ones append. */
export const TRACE_BYTES = 1024;

/** Offsets of libsrt 1.5's structure on 64-bit systems; versions only append. */
const PKT_RECV_TOTAL = 16;
const PKT_RCV_LOSS_TOTAL = 28;
const PKT_RCV_DROP_TOTAL = 68;
const PKT_RCV_UNDECRYPT_TOTAL = 72;
const BYTE_RECV_TOTAL = 88;
const PKT_RCV_RETRANS = 164;
const MBPS_RECV_RATE = 192;
const MS_RTT = 328;
const MBPS_BANDWIDTH = 336;
const BYTE_RCV_BUF = 384;
const MS_RCV_BUF = 388;
const MS_RCV_TSBPD_DELAY = 392;
const LITTLE_ENDIAN = true;

/** Reads the structure. */
export function parseTrace(bytes: Uint8Array): TraceReading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    rttMs: view.getFloat64(MS_RTT, LITTLE_ENDIAN),
    receiveRateMbps: view.getFloat64(MBPS_RECV_RATE, LITTLE_ENDIAN),
    linkMbps: view.getFloat64(MBPS_BANDWIDTH, LITTLE_ENDIAN),
    packetsReceived: Number(view.getBigInt64(PKT_RECV_TOTAL, LITTLE_ENDIAN)),
    bytesReceived: Number(view.getBigUint64(BYTE_RECV_TOTAL, LITTLE_ENDIAN)),
    packetsLost: view.getInt32(PKT_RCV_LOSS_TOTAL, LITTLE_ENDIAN),
    packetsDropped: view.getInt32(PKT_RCV_DROP_TOTAL, LITTLE_ENDIAN),
    packetsUndecrypted: view.getInt32(PKT_RCV_UNDECRYPT_TOTAL, LITTLE_ENDIAN),
    packetsRetransmittedInInterval: view.getInt32(PKT_RCV_RETRANS, LITTLE_ENDIAN),
    bufferMs: view.getInt32(MS_RCV_BUF, LITTLE_ENDIAN),
    bufferBytes: view.getInt32(BYTE_RCV_BUF, LITTLE_ENDIAN),
    latencyMs: view.getInt32(MS_RCV_TSBPD_DELAY, LITTLE_ENDIAN),
  };
}
