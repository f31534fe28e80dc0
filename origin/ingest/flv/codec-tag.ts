/** What the body of an audio or video tag turns out to be. */

/** A tag's body, read; `body` is in the legacy form of FLV 10.1 and holds the header bytes. */
export type CodecTag =
  | { readonly kind: 'sequence-header'; readonly configuration: Uint8Array; readonly body: Uint8Array }
  /** `key` is true for a key frame, and for every frame of audio. */
  | { readonly kind: 'frame'; readonly key: boolean; readonly body: Uint8Array }
  /** Carries nothing to decode: empty, end of sequence, command frame, colour metadata. */
  | { readonly kind: 'ignored' }
  /** `codec` is a name for the person who set up the encoder. */
  | { readonly kind: 'unsupported'; readonly codec: string };
