/** What the platform binds to the edge worker; `wrangler.toml` declares it, the secrets are set beside it. */

import type * as entrypoints from './index.ts';

/** What gateway and delivery use of the stream hubs' namespace. */
export interface Hubs {
  getByName(stream: string): Pick<Fetcher, 'fetch'>;
}

/** Bindings and secrets of the edge worker. */
export interface Env {
  /** Object storage, written by origins: init segments, segments and parts. */
  readonly MEDIA: R2Bucket;
  /** One stream hub per stream, by the stream's name. */
  readonly HUB: Hubs;
  /** The built pages, `.build/pages`. */
  readonly ASSETS: Pick<Fetcher, 'fetch'>;
  /** HS256 key of playback tokens: UTF-8 text of at least 32 bytes. */
  readonly RILL_PLAY_SECRET?: string;
  /** What an origin presents as `Authorization: Bearer` when it publishes. */
  readonly RILL_SERVICE_TOKEN?: string;
}

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof entrypoints;
      durableNamespaces: 'StreamHub';
    }
  }
}
