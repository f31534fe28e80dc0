/** What the platform binds to the edge worker; `wrangler.toml` declares it, the secrets are set beside it. */

import type { TrustedHeaders } from '../shared/access/trusted-headers.ts';
import type { ViewerSessionObjects } from './access/sessions/session-keeper.ts';
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
  /** Analytics Engine's data set `rill_qos`, where points go unless ClickHouse is named. */
  readonly QOS?: AnalyticsEngineDataset;
  /** The one QoS writer, which keeps rows until ClickHouse has them. */
  readonly QOS_WRITER?: Hubs;
  /** The one object that knows who watches now. */
  readonly QOS_NOW?: Hubs;
  /** One object per viewer whose sessions are counted, by the viewer's name. */
  readonly VIEWER_SESSIONS?: ViewerSessionObjects;
  /** The one object that holds policies, keys and revocations. */
  readonly ACCESS_REGISTRY?: Registries;
  /** The one object that keeps alerts. */
  readonly QOS_ALERTS?: Hubs;
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
  /** What session tokens are signed with in place of `RILL_PLAY_SECRET`: UTF-8 text of at least 32 bytes. */
  readonly RILL_SESSION_SECRET?: string;
  /** How long a session token is good for, seconds; 0: sessions end with the token that started them. */
  readonly RILL_SESSION_SECONDS?: string;
  /** How long after its start a session is over, seconds. */
  readonly RILL_SESSION_MAX_SECONDS?: string;
  /** What an origin presents as `Authorization: Bearer` when it publishes. */
  readonly RILL_SERVICE_TOKEN?: string;
  /** Base URL of ClickHouse's HTTP interface; with it QoS goes there, and reports are asked there. */
  readonly RILL_CLICKHOUSE_URL?: string;
  /** `default` unless set. */
  readonly RILL_CLICKHOUSE_USER?: string;
  readonly RILL_CLICKHOUSE_PASSWORD?: string;
  /** `default` unless set. */
  readonly RILL_CLICKHOUSE_DATABASE?: string;
  /** Account and API token with which reports are asked of Analytics Engine's SQL API. */
  readonly RILL_ANALYTICS_ACCOUNT?: string;
  readonly RILL_ANALYTICS_TOKEN?: string;
  /** Data set that reports are asked of there; `rill_qos` unless set. */
  readonly RILL_ANALYTICS_DATASET?: string;
  /** Share of requests that become `delivery` points, 0 to 1. */
  readonly RILL_QOS_DELIVERY_SAMPLE?: string;
  /** Rows that the QoS writer holds while ClickHouse is away, MiB; 128 unless set. */
  readonly RILL_QOS_BUFFER_MIB?: string;
  /** Set, be it empty, where Cloudflare's network does not stand before the Worker. */
  readonly RILL_TRUSTED_HEADERS?: TrustedHeaders;
  /** Rules of alerts and their webhook, JSON. */
  readonly RILL_ALERTS?: string;
  /** Key under which messages to the webhook are signed. */
  readonly RILL_ALERTS_KEY?: string;
}

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof entrypoints;
      durableNamespaces:
        | 'StreamHub'
        | 'StreamRelay'
        | 'DeliveryCache'
        | 'ViewerSessions'
        | 'AccessRegistry'
        | 'QosWriter'
        | 'QosNow'
        | 'AlertKeeper';
    }
  }
}
