/** The init segment of one rendition, ISO/IEC 23000-19 (CMAF) §7.3.2. */

import { writeBox } from './boxes/box-writer.ts';
import { writeDinf } from './boxes/dinf.ts';
import { writeFtyp } from './boxes/ftyp.ts';
import { writeHdlr } from './boxes/hdlr.ts';
import { writeMdhd } from './boxes/mdhd.ts';
import { writeMvhd } from './boxes/mvhd.ts';
import { writeSmhd } from './boxes/smhd.ts';
import { writeStbl } from './boxes/stbl.ts';
import { writeTkhd } from './boxes/tkhd.ts';
import { writeTrex } from './boxes/trex.ts';
import { writeVmhd } from './boxes/vmhd.ts';
import type { Track } from './sample.ts';

/** Id of the only track in every file that the packager writes. */
export const TRACK_ID = 1;
const BRANDS = { majorBrand: 'iso6', minorVersion: 0, compatibleBrands: ['iso6', 'cmfc', 'mp41'] };

/** Writes the init segment: `ftyp`, and a `moov` with one track whose samples come in fragments. */
export function writeInitSegment(track: Track): Uint8Array {
  const ftyp = writeFtyp(BRANDS);
  const moov = writeBox(
    'moov',
    writeMvhd({ timescale: track.timescale, nextTrackId: TRACK_ID + 1 }),
    writeTrack(track),
    writeBox('mvex', writeTrex({ trackId: TRACK_ID, defaultDuration: 0, defaultSize: 0, defaultFlags: 0 })),
  );
  const bytes = new Uint8Array(ftyp.length + moov.length);
  bytes.set(ftyp);
  bytes.set(moov, ftyp.length);
  return bytes;
}

function writeTrack(track: Track): Uint8Array {
  const audio = track.kind === 'audio';
  const information = writeBox(
    'minf',
    audio ? writeSmhd() : writeVmhd(),
    writeDinf(),
    writeStbl(track.sampleEntry),
  );
  const media = writeBox(
    'mdia',
    writeMdhd(track.timescale),
    writeHdlr({ handler: audio ? 'soun' : 'vide', name: audio ? 'audio' : 'video' }),
    information,
  );
  const header = writeTkhd({ trackId: TRACK_ID, audio, width: track.width, height: track.height });
  return writeBox('trak', header, media);
}
