/** The unity matrix that movie and track headers carry, ISO/IEC 14496-12 §6.2.2. */

/** Leaves the picture as it is: 16.16 and 2.30 fixed point. */
export const UNITY_MATRIX: readonly number[] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
