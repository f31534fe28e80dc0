/** Playback of a quarter of an hour as rows of the QoS table: forty viewers, of whom those of one network stall. */

import { jsonRow, positional, type QosPoint } from '#shared/qos/schema.ts';

const VIEWERS = 40;
const BEAT_SECONDS = 10;
const PLACES = [
  { country: 'DE', asn: '3320', region: 'DE-BE' },
  { country: 'DE', asn: '3209', region: 'DE-BY' },
  { country: 'FR', asn: '3215', region: 'FR-IDF' },
  { country: 'IT', asn: '1267', region: 'IT-25' },
  { country: 'BR', asn: '28573', region: 'BR-SP' },
] as const;
/** The network whose viewers stall. */
const BAD_ASN = '3209';

/** Rows of JSONEachRow for `stream` that end at `until`, Unix seconds, and begin `seconds` before. */
export function dashboardScene(stream: string, until: number, seconds: number): readonly object[] {
  return Array.from({ length: VIEWERS }, (_, viewer) => sessionOf(stream, viewer, { until, seconds })).flat();
}

function sessionOf(
  stream: string,
  viewer: number,
  time: { readonly until: number; readonly seconds: number },
): readonly object[] {
  const place = PLACES[viewer % PLACES.length] ?? PLACES[0];
  const about = {
    ...{
      stream,
      session: `${stream}-${String(viewer).padStart(2, '0')}`,
      viewer: `viewer-${viewer}`,
      ...place,
    },
    ...{ device: viewer % 3 === 0 ? 'mobile' : 'desktop', browser: viewer % 2 === 0 ? 'Chrome' : 'Safari' },
    ...{ os: 'Linux', player: 'rill', player_version: '1', protocol: 'HTTP/3', source: 'beacon' },
    ...{ rendition: viewer % 4 === 0 ? '360p' : '720p', height: viewer % 4 === 0 ? 360 : 720 },
    bitrate: viewer % 4 === 0 ? 800_000 : 2_800_000,
  };
  const rows: object[] = [];
  const begin = time.until - time.seconds + Math.round((viewer * time.seconds) / (VIEWERS * 1.6));
  let seq = 0;
  const tell = (at: number, facts: Partial<QosPoint>): void => {
    const point = positional({ ...about, ...facts, seq, at_ms: at * 1000 });
    seq += 1;
    rows.push(JSON.parse(jsonRow(point, at)));
  };
  tell(begin, { event: 'session_start' });
  tell(begin + 1, { event: 'startup', startup_ms: 350 + ((viewer * 137) % 900) });
  for (let at = begin + BEAT_SECONDS; at < time.until; at += BEAT_SECONDS) {
    const beat = Math.round(at / BEAT_SECONDS);
    const isStalling = place.asn === BAD_ASN && (beat + viewer) % 7 === 0;
    const stalled = isStalling ? 2_000 : 0;
    if (isStalling) {
      tell(at - 4, { event: 'stall_begin', watched_ms: 6_000 });
      tell(at - 2, { event: 'stall_end', stalled_ms: stalled });
    }
    tell(at, {
      event: 'heartbeat',
      watched_ms: isStalling ? 2_000 : 10_000,
      latency_ms: 2_100 + ((beat * 37 + viewer * 91) % 800),
      buffer_ms: 1_900,
      decoded_frames: 300,
    });
  }
  if (viewer === 7) {
    tell(time.until - 30, { event: 'error', error_code: 'MEDIA_ERROR', detail: 'bufferAppendError' });
  }
  return rows;
}
