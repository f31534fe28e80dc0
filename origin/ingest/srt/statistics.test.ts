import { expect, test } from 'vitest';
import { parseTrace, TRACE_BYTES } from './statistics.ts';

test('reads the fields of struct CBytePerfMon where libsrt 1.5 puts them', () => {
  const bytes = new Uint8Array(TRACE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(16, 1000n, true);
  view.setInt32(28, 20, true);
  view.setInt32(68, 3, true);
  view.setInt32(72, 2, true);
  view.setFloat64(336, 250.5, true);
  view.setBigUint64(88, 1_316_000n, true);
  view.setInt32(164, 19, true);
  view.setFloat64(192, 4.2, true);
  view.setFloat64(328, 12.5, true);
  view.setInt32(384, 50_000, true);
  view.setInt32(388, 118, true);
  view.setInt32(392, 120, true);
  expect(parseTrace(bytes)).toEqual({
    packetsReceived: 1000,
    packetsLost: 20,
    packetsDropped: 3,
    packetsUndecrypted: 2,
    linkMbps: 250.5,
    bytesReceived: 1_316_000,
    packetsRetransmittedInInterval: 19,
    receiveRateMbps: 4.2,
    rttMs: 12.5,
    bufferBytes: 50_000,
    bufferMs: 118,
    latencyMs: 120,
  });
});
