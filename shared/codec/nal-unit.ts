/** What H.264 and HEVC have in common: bytes of a NAL unit. */

/** Takes the emulation prevention bytes out, ISO/IEC 14496-10 §7.4.1 and 23008-2 §7.4.2. */
export function removeEmulationPrevention(bytes: Uint8Array): Uint8Array {
  const output = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    output[length] = byte;
    length += 1;
  }
  return output.subarray(0, length);
}
