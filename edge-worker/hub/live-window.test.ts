import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishUpdate } from '#shared/wire/publish.ts';
import { describeMediaPlaylist } from './describe-playlists.ts';
import { nextMsnOf, type LiveWindow, type RenditionWindow } from './live-window.ts';
import { allSegments } from './segment-list.ts';
import { takeUpdate } from './take-update.ts';
import { begin, framesOf, init, part, renditionOf, take, type Unnumbered } from './window-fixture.ts';

/** Commands of a random origin: what it sends next, or something that happens to it. */
const command = fc.constantFrom('part', 'segment', 'repeat', 'gap', 'restart', 'end');

describe('any course of publishing', () => {
  it('keeps numbers without gap, alike in all renditions', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.boolean()), { maxLength: 60 }), (commands) => {
        let epoch = 100;
        let window = take(undefined, epoch, [begin(7)]);
        const sent: PublishUpdate[] = [];
        const send = (update: Unnumbered): void => {
          const [frame] = framesOf([update], window.epoch === epoch ? window.nextSeq : 0);
          const step = frame && takeUpdate(window, epoch, frame.update, 1);
          if (frame !== undefined && step?.kind === 'taken') {
            window = step.window;
            sent.push(frame.update);
          }
        };
        const sendInits = (): void => {
          for (const rendition of ['v', 'a']) {
            send(init(rendition));
          }
        };
        sendInits();
        for (const [what, first] of commands) {
          const name = first ? 'v' : 'a';
          const rendition = renditionOf(window, name);
          const parts = rendition.open?.parts.length ?? 0;
          if (what === 'part' && !window.ended) {
            send(part(name, rendition.nextMsn, parts));
          } else if (what === 'segment' && parts > 0) {
            send({ kind: 'segment', rendition: name, msn: rendition.nextMsn, parts });
          } else if (what === 'repeat') {
            const again = sent.at(-1);
            expect(again && takeUpdate(window, epoch, again, 1)).toEqual({ kind: 'repeat' });
          } else if (what === 'gap') {
            const [frame] = framesOf([part(name, 0, 0)], window.nextSeq + 1);
            expect(frame && takeUpdate(window, epoch, frame.update, 1)).toEqual({
              kind: 'refused',
              answer: { status: 'gap', next: window.nextSeq },
            });
          } else if (what === 'restart') {
            epoch += 1;
            send(begin(nextMsnOf(window)));
            sendInits();
          } else if (what === 'end' && !window.ended) {
            send({ kind: 'end' });
          }
          checkInvariants(window);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function checkInvariants(window: LiveWindow): void {
  const video = renditionOf(window, 'v');
  const audio = renditionOf(window, 'a');
  for (const rendition of [video, audio]) {
    const numbers = allSegments(rendition.segments).map((each) => each.msn);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers.length).toBeLessThanOrEqual(10);
    if (numbers.length > 0) {
      expect(rendition.nextMsn).toBe((numbers.at(-1) ?? 0) + 1);
    }
    checkDiscontinuities(rendition, window);
  }
  for (const left of allSegments(video.segments)) {
    const right = allSegments(audio.segments).find((each) => each.msn === left.msn);
    expect(right?.discontinuitySequence ?? left.discontinuitySequence).toBe(left.discontinuitySequence);
  }
}

/** The discontinuity sequence number of each segment follows from the playlist's text alone. */
function checkDiscontinuities(rendition: RenditionWindow, window: LiveWindow): void {
  const segmentsListed = allSegments(rendition.segments);
  let sequence = describeMediaPlaylist(window, rendition, segmentsListed).discontinuitySequence;
  for (const each of segmentsListed) {
    sequence += each.discontinuity ? 1 : 0;
    expect(sequence).toBe(each.discontinuitySequence);
  }
}
