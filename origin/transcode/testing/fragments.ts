/** Reads the fragments of a transcoder's output, as far as its tests look at them. */

/** One `moof`, ISO/IEC 14496-12 §8.8.4. */
export interface Fragment {
  readonly track: number;
  readonly samples: number;
  /** Times of its first sample in ticks of the track. */
  readonly decodeTime: number;
  readonly presentationTime: number;
  readonly duration: number;
  readonly sync: boolean;
}

const NON_SYNC = 0x10000;

/** All fragments of a file, in order. */
export function readFragments(file: Uint8Array): readonly Fragment[] {
  return children(file).flatMap(([type, moof]) =>
    type === 'moof'
      ? children(moof).flatMap(([inner, traf]) => (inner === 'traf' ? [readTrackFragment(traf)] : []))
      : [],
  );
}

function readTrackFragment(traf: Uint8Array): Fragment {
  const boxes = new Map(children(traf));
  const header = readHeader(fields(boxes.get('tfhd')));
  const time = fields(boxes.get('tfdt'));
  const decodeTime = time.version === 1 ? Number(time.u64()) : time.u32();
  const run = fields(boxes.get('trun'));
  const samples = run.u32();
  run.skipIf(0x1);
  const firstFlags = run.when(0x4);
  const duration = run.when(0x100) ?? header.duration;
  run.skipIf(0x200);
  const flags = run.when(0x400) ?? firstFlags ?? header.flags;
  const offset = (run.when(0x800) ?? 0) | 0;
  return {
    track: header.track,
    samples,
    decodeTime,
    presentationTime: decodeTime + offset,
    duration,
    sync: (flags & NON_SYNC) === 0,
  };
}

function readHeader(header: Fields): { track: number; duration: number; flags: number } {
  const track = header.u32();
  header.skipIf(0x1);
  header.skipIf(0x1);
  header.skipIf(0x2);
  const duration = header.when(0x8) ?? 0;
  header.skipIf(0x10);
  return { track, duration, flags: header.when(0x20) ?? 0 };
}

interface Fields {
  readonly version: number;
  u32(): number;
  u64(): bigint;
  /** The next value when the box's flags announce it. */
  when(flag: number): number | undefined;
  skipIf(flag: number): void;
}

function fields(box: Uint8Array | undefined): Fields {
  const bytes = box ?? new Uint8Array(4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const announced = view.getUint32(0) & 0xffffff;
  let at = 4;
  const u32 = (): number => view.getUint32((at += 4) - 4);
  const when = (flag: number): number | undefined => ((announced & flag) === 0 ? undefined : u32());
  return {
    version: view.getUint8(0),
    u32,
    u64: () => view.getBigUint64((at += 8) - 8),
    when,
    skipIf: (flag) => void when(flag),
  };
}

function children(bytes: Uint8Array): readonly (readonly [type: string, content: Uint8Array])[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes: [string, Uint8Array][] = [];
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, view.getUint32(at))) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    boxes.push([type, bytes.subarray(at + 8, at + view.getUint32(at))]);
  }
  return boxes;
}
