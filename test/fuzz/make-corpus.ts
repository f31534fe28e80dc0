/** Makes the captures of the corpus anew with ffmpeg; what once broke a reader (`*-crash-*`) stays. `node test/fuzz/make-corpus.ts` */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { amfObject } from '../../origin/ingest/flv/amf0.ts';
import { encodeAmf0 } from '../../origin/ingest/flv/amf0-encode.ts';
import { startRtmpServer } from '../../origin/ingest/rtmp/rtmp-server.ts';
import { TEST_KEY, TestGate } from '../../origin/ingest/rtmp/test-gate.ts';

const run = promisify(execFile);
const CORPUS = join(import.meta.dirname, 'corpus');
/** A picture of so few bytes that a case takes microseconds. */
const PICTURE = '-f lavfi -i color=gray:size=64x64:rate=10:duration=0.6';
const TONE = '-f lavfi -i sine=duration=0.3:sample_rate=44100';
const H264 = '-c:v libx264 -preset ultrafast -g 3 -pix_fmt yuv420p';
const AAC = '-c:a aac -b:a 24k -ac 1';
const MP4 = '-movflags +empty_moov+default_base_moof+frag_keyframe -f mp4';
/** Bytes before the first tag of an FLV file. */
const FLV_HEADER_BYTES = 13;
const HEVC = '-c:v libx265 -preset ultrafast -x265-params keyint=3:info=0:log-level=none -pix_fmt yuv420p';

const folder = await mkdtemp(join(tmpdir(), 'rill-corpus-'));
const flv = await capture(`${PICTURE} ${TONE} ${H264} ${AAC} -f flv`);
await keep('flv-h264-aac', flv.subarray(FLV_HEADER_BYTES));
await keep('flv-audio', (await capture(`${TONE} ${AAC} -f flv`)).subarray(FLV_HEADER_BYTES));
await keep('flv-enhanced', enhanced(await capture(`${PICTURE} ${HEVC} -tag:v hvc1 ${MP4}`)));
for (const [name, codecs] of [
  ['h264-aac', `${H264} ${AAC} -metadata:s:a:0 language=deu`],
  ['hevc-opus', `${HEVC} -c:a libopus`],
]) {
  const stream = await capture(`${PICTURE} ${TONE} ${codecs} -f mpegts`);
  await keep(`mpegts-${name}`, stream);
  await keep(`psi-${name}`, programMap(stream));
}
await keep('mp4-h264-aac', await capture(`${PICTURE} ${TONE} ${H264} ${AAC} ${MP4}`));
await keep('mp4-hevc-opus', await capture(`${PICTURE} ${TONE} ${HEVC} -tag:v hvc1 -c:a libopus ${MP4}`));
await keep('mp4-vp9', await capture(`${PICTURE} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 ${MP4}`));
await keep('mp4-av1', await capture(`${PICTURE} -c:v libsvtav1 -preset 12 -g 3 ${MP4}`));
await keep('amf0-connect', encodeAmf0(['connect', 1, connectObject(), null, true]));
// An ECMA array, as the first tag of ffmpeg's FLV has it, and a strict array of a date and a reference.
await keep(
  'amf0-metadata',
  flv.subarray(FLV_HEADER_BYTES + 11, FLV_HEADER_BYTES + 11 + flv.readUIntBE(14, 3)),
);
await keep('amf0-arrays', Buffer.from('0200016e0a000000020b000000000000000000000007000108', 'hex'));
await keep('rtmp-ffmpeg', await captureRtmp());
await rm(folder, { recursive: true });

async function capture(options: string): Promise<Buffer> {
  const file = join(folder, 'capture');
  await run('ffmpeg', ['-v', 'error', '-y', ...options.split(' '), file]);
  return readFile(file);
}

async function keep(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(CORPUS, `${name}.bin`), bytes);
}

function connectObject() {
  return amfObject({
    ...{ app: 'live', type: 'nonprivate', tcUrl: 'rtmp://127.0.0.1/live', videocodecid: 'avc1' },
    ...{ width: 64, height: 36, framerate: 10, hasVideo: true, nested: amfObject({ deep: amfObject({}) }) },
  });
}

/** A sequence start of Enhanced RTMP with a real configuration record, alone and in a multitrack tag. */
function enhanced(mp4: Buffer): Uint8Array {
  const at = mp4.indexOf('hvcC');
  const record = mp4.subarray(at + 4, at - 4 + mp4.readUInt32BE(at - 4));
  const single = Buffer.concat([Buffer.from('\u0090hvc1', 'latin1'), record]);
  const size = Buffer.of(0, record.length >> 8, record.length & 0xff);
  const many = Buffer.concat([Buffer.of(0x96, 0x10), Buffer.from('hvc1'), Buffer.of(0), size, record]);
  return Buffer.concat([single, many].map((body) => flvTag(body)));
}

function flvTag(body: Uint8Array): Buffer {
  const header = Buffer.alloc(11);
  header[0] = 9;
  header.writeUIntBE(body.length, 1, 3);
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(header.length + body.length);
  return Buffer.concat([header, body, trailer]);
}

/** The first PMT, which ffmpeg puts on PID 0x1000, without its checksum. */
function programMap(stream: Buffer): Uint8Array {
  const at = stream.indexOf(Buffer.of(0x47, 0x50, 0x00)) + 5;
  return stream.subarray(at, at + 3 + (stream.readUInt16BE(at + 1) & 0x0fff) - 4);
}

/** What ffmpeg sends to the RTMP port, from C0 on. */
async function captureRtmp(): Promise<Buffer> {
  const log = pino({ level: 'silent' });
  const server = await startRtmpServer({ host: '127.0.0.1', port: 0, gate: new TestGate(), log });
  const sent: Buffer[] = [];
  const relay = createServer((encoder) => {
    const onward = connect(server.port, '127.0.0.1');
    encoder.on('data', (bytes: Buffer) => sent.push(bytes));
    encoder.pipe(onward).pipe(encoder);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  const url = `rtmp://127.0.0.1:${port}/live/fuzz?key=${encodeURIComponent(TEST_KEY)}`;
  const options = `-re ${PICTURE} ${TONE} ${H264} ${AAC} -f flv`.split(' ');
  await run('ffmpeg', ['-v', 'error', ...options, url]);
  relay.close();
  await server.close();
  return Buffer.concat(sent);
}
