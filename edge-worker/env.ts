/** What the platform binds to the edge worker; `wrangler.toml` declares it, the secrets are set beside it. */

import type { Registries } from './access/registry/access-registry.ts';
import type * as entrypoints from './index.ts';

/** What gateway and delivery use of the stream hubs' namespace. */
export interface Hubs {
  getByName(stream: string): Pick<Fetcher, 'fetch'>;
}

/** What delivery uses of the relays' namespace. */
export interface Relays {
  getByName(
    name: string,
    options: { readonly locationHint: DurableObjectLocationHint },
  ): Pick<Fetcher, 'fetch'>;
}

/** Bindings and secrets of the edge worker. */
export interface Env {
  /** Object storage, written by origins: init segments, segments and parts. */
  readonly MEDIA: R2Bucket;
  /** One stream hub per stream, by the stream's name. */
  readonly HUB: Hubs;
  /** One relay per rendition and region, used when `RILL_RELAYS` is `on`. */
  readonly RELAY?: Relays;
  /** One cache object per stream, used when `RILL_CACHE_MIB` is set: where no platform caches delivery. */
  readonly CACHE?: Hubs;
  /** The one object that holds policies, keys and revocations. */
  readonly ACCESS_REGISTRY?: Registries;
  /** The built pages, `.build/pages`. */
  readonly ASSETS: Pick<Fetcher, 'fetch'>;
  /** `on`: viewers' regions reach a hub through relays. */
  readonly RILL_RELAYS?: string;
  /** MiB of memory for delivery's own cache; unset or 0 where the platform has one. */
  readonly RILL_CACHE_MIB?: string;
  /** Base URL of an S3 store that is read in place of `MEDIA`; with it the four below. */
  readonly RILL_S3_ENDPOINT?: string;
  readonly RILL_S3_BUCKET?: string;
  /** `auto` unless set. */
  readonly RILL_S3_REGION?: string;
  readonly RILL_S3_ACCESS_KEY_ID?: string;
  readonly RILL_S3_SECRET_ACCESS_KEY?: string;
  /** HS256 key of playback tokens: UTF-8 text of at least 32 bytes. */
  readonly RILL_PLAY_SECRET?: string;
  /** What an origin presents as `Authorization: Bearer` when it publishes. */
  readonly RILL_SERVICE_TOKEN?: string;
}

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof entrypoints;
      durableNamespaces: 'StreamHub' | 'StreamRelay' | 'DeliveryCache' | 'AccessRegistry';
    }
  }
}
