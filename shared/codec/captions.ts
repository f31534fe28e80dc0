/** Closed captions in SEI messages: CEA-608 and CEA-708 as ATSC A/53 part 4 §6.2.3 carries them in video. */

import { readSeiMessages } from './sei.ts';

/** What one picture's captions hold. */
export interface CaptionPresence {
  /** Line 21's first field: CC1 and CC2. */
  readonly fieldOne: boolean;
  /** Line 21's second field, with something in it: CC3 and CC4. */
  readonly fieldTwo: boolean;
  /** DTVCC packets of CEA-708. */
  readonly services: boolean;
}

/** SEI payload type `user_data_registered_itu_t_t35`, ITU-T H.264 §D.1.6 and H.265 §D.2.6. */
const USER_DATA_REGISTERED = 4;
/** Country USA, provider ATSC, `GA94`, user_data_type_code for cc_data. */
const ATSC_CC_DATA: readonly number[] = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03];

/** Reads the captions of an SEI NAL unit after its header, `undefined` where it carries none. */
export function readCaptions(sei: Uint8Array): CaptionPresence | undefined {
  const found = readSeiMessages(sei).find(
    ({ type, payload }) =>
      type === USER_DATA_REGISTERED && ATSC_CC_DATA.every((byte, index) => payload[index] === byte),
  );
  return found && readCcData(found.payload.subarray(ATSC_CC_DATA.length));
}

/** Reads cc_data(): triples of type and two bytes, CTA-708-E §4.3. */
function readCcData(data: Uint8Array): CaptionPresence {
  const count = (data[0] ?? 0) & 0x1f;
  let fieldOne = false;
  let fieldTwo = false;
  let services = false;
  for (let index = 0; index < count; index += 1) {
    const [head = 0, first = 0, second = 0] = data.subarray(2 + 3 * index, 5 + 3 * index);
    const isValid = (head & 0b100) !== 0;
    const type = head & 0b11;
    const isEmpty = ((first | second) & 0x7f) === 0;
    fieldOne ||= isValid && type === 0;
    fieldTwo ||= isValid && type === 1 && !isEmpty;
    services ||= isValid && type > 1;
  }
  return { fieldOne, fieldTwo, services };
}
