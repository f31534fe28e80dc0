/** The stage of a feed that ffmpeg makes renditions of. */

import { FragmentReader, type FragmentEvent } from '../package/fragment-reader.ts';
import { startTranscoder, type TranscoderOptions } from '../transcode/ffmpeg-process.ts';
import { describeExit } from '../transcode/supervisor.ts';
import type { MediaStage } from './media-stage.ts';

/** Starts ffmpeg. */
export function startTranscode(options: TranscoderOptions): MediaStage {
  const transcoder = startTranscoder(options);
  return {
    write: (bytes) => transcoder.write(bytes),
    end: () => transcoder.end(),
    kill: () => transcoder.kill(),
    events: readFragments(transcoder.output),
    ended: transcoder.exited.then((exit) => ({
      isStarted: exit.kind !== 'spawn-failed',
      detail: describeExit(exit),
    })),
  };
}

async function* readFragments(
  output: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly FragmentEvent[], void, undefined> {
  const reader = new FragmentReader();
  for await (const chunk of output) {
    yield reader.push(chunk);
  }
}
