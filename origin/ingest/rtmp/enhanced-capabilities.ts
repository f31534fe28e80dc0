/** What is answered to an encoder that offers Enhanced RTMP, v2 "Enhancing NetConnection connect Command". */

import { amfObject, amfProperty, type AmfValue } from '../flv/amf0.ts';

const VIDEO_FOURCCS: readonly string[] = ['avc1', 'hvc1', 'av01', 'vp09'];
const AUDIO_FOURCCS: readonly string[] = ['mp4a', 'Opus'];
/** FourCcInfoMask: the codec can be decoded (for encoded rungs) and forwarded (as a copy). */
const CAN_DECODE_AND_FORWARD = 0x01 | 0x04;
/** CapsExMask: ModEx prefixes are understood. No word of multitrack, which would invite tracks that go nowhere. */
const CAPS_EX = 0x04;

/** The properties of the answer to `connect`: each only where the encoder spoke of it. */
export function answerCapabilities(offered: AmfValue): Readonly<Record<string, AmfValue>> {
  const asked = (name: string): boolean => amfProperty(offered, name) !== undefined;
  return {
    ...(asked('fourCcList') && {
      fourCcList: { kind: 'strict-array', values: [...VIDEO_FOURCCS, ...AUDIO_FOURCCS] },
    }),
    ...(asked('videoFourCcInfoMap') && { videoFourCcInfoMap: infoMap(VIDEO_FOURCCS) }),
    ...(asked('audioFourCcInfoMap') && { audioFourCcInfoMap: infoMap(AUDIO_FOURCCS) }),
    ...(asked('capsEx') && { capsEx: CAPS_EX }),
  };
}

function infoMap(fourCcs: readonly string[]): AmfValue {
  return amfObject(Object.fromEntries(fourCcs.map((fourCc) => [fourCc, CAN_DECODE_AND_FORWARD])));
}
