/** nginx as an edge: a signed link, a country, a cache with a lock. Its own configuration, never the system's. */

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startPinned, untilAnswering, type PinnedProcess } from './pinned-process.ts';

const SECRET = 'a secret for signed links';
const LINK_SECONDS = 3_600;

/** A running nginx. */
export interface NginxEdge {
  readonly process: PinnedProcess;
  readonly url: string;
  /** Path of a playlist or media file, with a signature that opens its folder. */
  path(file: string): string;
}

/** What nginx stands in front of. */
export interface Upstream {
  /** `http://host:port`. */
  readonly url: string;
  /** Path of a folder there, with its slash. */
  readonly folder: string;
}

/** Starts nginx with one worker process on one core, its files in `folder`. */
export async function startNginxEdge(options: {
  readonly core: number;
  readonly folder: string;
  readonly upstream: Upstream;
}): Promise<NginxEdge> {
  const { core, folder, upstream } = options;
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configuration({ folder, port, upstream }));
  const process = startPinned(core, ['nginx', '-p', folder, '-e', 'stderr', '-c', file]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url);
  const until = Math.floor(Date.now() / 1000) + LINK_SECONDS;
  const digest = createHash('md5').update(`${until} show ${SECRET}`).digest('base64url');
  return { process, url, path: (name) => `/t/${digest}/${until}/live/show/${name}` };
}

/**
 * As one would write it for an origin of live HLS: media for an hour, playlists for the second below which
 * `proxy_cache_valid` cannot go, one request at a time for what is not in the cache.
 */
function configuration(edge: {
  readonly folder: string;
  readonly port: number;
  readonly upstream: Upstream;
}): string {
  const { folder, port, upstream } = edge;
  const { host } = new URL(upstream.url);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const checks = `
      secure_link $digest,$until;
      secure_link_md5 "$until $stream ${SECRET}";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }
      if ($allowed = 0) { return 451; }
      proxy_pass http://origin${upstream.folder}$file$is_args$args;
      proxy_cache_key "$stream/$file$is_args$args";`;
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  ${temporary.join('\n  ')}
  types { application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; }
  gzip on;
  gzip_proxied any;
  gzip_min_length 1024;
  gzip_types application/vnd.apple.mpegurl;
  geo $country { default XX; 127.0.0.0/8 DE; }
  map $country $allowed { default 0; DE 1; AT 1; }
  upstream origin { server ${host}; keepalive 16; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Accept-Encoding "";
  proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=media:10m max_size=256m inactive=1h use_temp_path=off;
  proxy_cache media;
  proxy_cache_lock on;
  server {
    listen 127.0.0.1:${port};
    location ~ ^/t/(?<digest>[\\w-]+)/(?<until>\\d+)/live/(?<stream>[^/]+)/(?<file>.+\\.m3u8)$ {${checks}
      proxy_cache_valid 200 1s;
    }
    location ~ ^/t/(?<digest>[\\w-]+)/(?<until>\\d+)/live/(?<stream>[^/]+)/(?<file>.+)$ {${checks}
      proxy_cache_valid 200 1h;
    }
    location / { return 404; }
  }
}
`;
}
