/** The demo source: a moving picture with the wall clock burnt in, a beep and a flash together each second. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Gives two rungs of the default ladder: what two cores encode, beside the browser that watches. */
const SIZE = '960x540';
const FRAME_RATE = 30;
const GOP_SECONDS = 2;
const SAMPLE_RATE = 48_000;
/** Seconds at the begin of each second of media time during which it flashes and beeps. */
const PULSE = 0.1;
const PULSE_NOW = `lt(mod(t\\,1)\\,${PULSE})`;
/** A filter that cannot be set up fails within this, milliseconds. */
const PROBE_LIMIT_MS = 10_000;

// Escaped twice, for drawtext's expansion and for the filter graph. The clock is read as each frame is made.
const CLOCK =
  'drawtext=x=40:y=h-th-40:fontsize=72:fontcolor=white:box=1:boxcolor=black@0.7:boxborderw=14:' +
  "text='%{localtime\\:%H\\\\\\:%M\\\\\\:%S}.%{eif\\:mod(time(0)*1000\\,1000)\\:d\\:3}'";

/** Tells whether this ffmpeg can burn in text: some are built without it, some machines have no font. */
export async function canDrawText(ffmpeg: string): Promise<boolean> {
  const source = `color=size=320x64:rate=1,${CLOCK}`;
  const args = ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', source, '-frames:v', '1', '-f', 'null', '-'];
  return run(ffmpeg, args, { timeout: PROBE_LIMIT_MS }).then(
    () => true,
    () => false,
  );
}

/** ffmpeg's arguments; without text the picture still has the counter of `testsrc2`. */
export function demoArguments(input: { readonly url: string; readonly clock: boolean }): readonly string[] {
  const picture = [
    `testsrc2=size=${SIZE}:rate=${FRAME_RATE}`,
    `drawbox=x=iw-200:y=40:w=160:h=160:color=white:t=fill:enable='${PULSE_NOW}'`,
    ...(input.clock ? [CLOCK] : []),
  ].join(',');
  const sound = `aevalsrc=0.03*sin(2*PI*220*t)+0.3*${PULSE_NOW}*sin(2*PI*1000*t):s=${SAMPLE_RATE}:c=mono`;
  return [
    ['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ['-re', '-f', 'lavfi', '-i', picture, '-re', '-f', 'lavfi', '-i', sound],
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ['-g', String(FRAME_RATE * GOP_SECONDS), '-keyint_min', String(FRAME_RATE * GOP_SECONDS)],
    ['-sc_threshold', '0', '-b:v', '1500k', '-maxrate', '1500k', '-bufsize', '1500k'],
    ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'],
    ['-f', 'flv', input.url],
  ].flat();
}
