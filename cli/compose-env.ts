/** `npm run compose-env`: makes `.env` for docker-compose.yml, every secret new and random; never replaces one. */

import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { seconds } from '#shared/media-time.ts';
import { signAnalyticsToken } from './analytics-token.ts';
import { CommandError, describeError, complain, say } from './terminal.ts';

const PRIVATE_FILE = 0o600;
const SECRET_BYTES = 32;
/** How long Prometheus may read what is watched now: as long as the secret that signs it is good. */
const TOKEN_TTL = seconds(10 * 365 * 86_400);
const RANDOM = [
  'RILL_PLAY_SECRET',
  'RILL_SERVICE_TOKEN',
  'RILL_CONTROL_TOKEN',
  'RILL_PUBLISH_SECRET',
  'RILL_S3_SECRET_ACCESS_KEY',
  'RILL_CLICKHOUSE_ADMIN_PASSWORD',
  'RILL_CLICKHOUSE_PASSWORD',
  'RILL_CLICKHOUSE_GRAFANA_PASSWORD',
  'RILL_GRAFANA_PASSWORD',
] as const;

/** The text of `.env`; `make` gives a new secret at each call. */
export async function composeEnvironment(site: string, make: () => string, now: number): Promise<string> {
  const secrets = Object.fromEntries(RANDOM.map((name) => [name, make()]));
  const playSecret = secrets['RILL_PLAY_SECRET'] ?? '';
  const token = await signAnalyticsToken({ scopes: ['analytics'], ttl: TOKEN_TTL, now }, playSecret);
  const lines = Object.entries({
    COMPOSE_PROFILES: 'origin,edge,store,qos,monitoring',
    RILL_SITE: site,
    RILL_S3_ACCESS_KEY_ID: 'rill',
    ...secrets,
    RILL_ANALYTICS_TOKEN: token,
  }).map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}

/** Writes a file that must not be there yet. */
export async function writeNewFile(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', PRIVATE_FILE).catch((error: unknown) => {
    throw new CommandError(
      `${file} is there already, or cannot be made: its secrets are in use, so it is kept`,
      {
        cause: error,
      },
    );
  });
  await handle.writeFile(text);
  await handle.close();
}

async function main(site = 'localhost'): Promise<void> {
  const make = (): string => randomBytes(SECRET_BYTES).toString('hex');
  const file = fileURLToPath(new URL('../.env', import.meta.url));
  await writeNewFile(file, await composeEnvironment(site, make, Date.now() / 1000));
  say(`${file} (mode 0600): docker compose up --build --wait`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]).catch((error: unknown) => {
    complain(`rill: ${describeError(error)}`);
    process.exitCode = 1;
  });
}
