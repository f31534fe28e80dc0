import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DCLinter } from 'dclint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { composeEnvironment, writeNewFile } from './compose-env.ts';
import { originDashboard } from './origin-monitoring.ts';
import { CommandError } from './terminal.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** What a YAML parser or the schema complains of; the linter's taste is its own. */
const BROKEN = /^invalid-/;
const resultsSchema = z
  .array(z.object({ messages: z.array(z.object({ rule: z.string(), message: z.string() })) }))
  .length(1);
const serviceSchema = z.looseObject({
  profiles: z.array(z.string()).min(1),
  image: z.string(),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.array(z.string()),
  mem_limit: z.string(),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()).min(1),
  depends_on: z.record(z.string(), z.looseObject({ required: z.boolean().default(true) })).default({}),
});
const text = read('docker-compose.yml');
const compose = z
  .looseObject({
    services: z.record(z.string(), serviceSchema),
    volumes: z.looseObject({}),
    networks: z.looseObject({}),
  })
  .parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);

describe('docker-compose.yml', () => {
  test('keeps to the schema of the compose specification', () => {
    const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
    const results = resultsSchema.parse(linter.lintFiles(['docker-compose.yml'], false));
    const complaints = results.flatMap(({ messages }) => messages);
    expect(complaints.filter(({ rule }) => BROKEN.test(rule))).toEqual([]);
  });

  test.each(services)('%s has a version, and files, volumes and networks that there are', (name, service) => {
    expect(service.image).toMatch(name === 'edge' || name === 'origin' ? /^rill-/ : /^[a-z0-9/-]+:v?\d/);
    const sources = service.volumes.map((volume) => volume.split(':')[0] ?? '');
    expect(sources.filter((one) => one.startsWith('.') && !existsSync(path.join(ROOT, one)))).toEqual([]);
    const named = sources.filter((one) => !one.startsWith('.'));
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
    expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(service.networks));
  });

  test.each(services)(
    '%s waits for nothing that another profile has, unless it can do without',
    (_, service) => {
      for (const [other, { required }] of Object.entries(service.depends_on)) {
        const shared = compose.services[other]?.profiles.some((one) => service.profiles.includes(one));
        expect([other, required && shared !== true]).toEqual([other, false]);
      }
    },
  );

  test('publishes what has no TLS of its own to this machine alone', () => {
    const open = services.flatMap(([, { ports }]) => ports.filter((port) => !port.startsWith('127.0.0.1:')));
    expect(open.toSorted()).toEqual(['1935:1935', '443:443', '443:443/udp', '80:80', '9000:9000/udp']);
  });

  test('finds every variable that it cannot do without in what "npm run compose-env" makes, no secret twice', async () => {
    let made = 0;
    const environment = await composeEnvironment(
      'live.example.org',
      () => `secret-${(made += 1)}-`.padEnd(64, '0'),
      0,
    );
    const known = new Map(
      environment
        .trim()
        .split('\n')
        .map((line): [string, string] => {
          const at = line.indexOf('=');
          return [line.slice(0, at), line.slice(at + 1)];
        }),
    );
    const needed = [...text.matchAll(/\$\{([A-Z0-9_]+):\?/g)].map(([, name]) => name);
    const ofSecrets = [...text.matchAll(/environment: ([A-Z0-9_]+) \}/g)].map(([, name]) => name);
    expect([...known.keys()]).toEqual(expect.arrayContaining([...needed, ...ofSecrets]));
    expect(new Set(known.values()).size).toBe(known.size);
    expect(known.get('COMPOSE_PROFILES')?.split(',').toSorted()).toEqual(
      [...new Set(services.flatMap(([, { profiles }]) => profiles))].toSorted(),
    );
  });
});

test('"npm run compose-env" replaces no file', async () => {
  const file = path.join(tmpdir(), `rill-compose-${process.pid}.env`);
  await writeNewFile(file, 'A=1\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await expect(writeNewFile(file, 'A=2\n')).rejects.toThrow(CommandError);
  expect(readFileSync(file, 'utf8')).toBe('A=1\n');
  rmSync(file);
});

describe('Prometheus and Grafana', () => {
  const prometheusSchema = z.object({
    global: z.looseObject({}),
    rule_files: z.array(z.string()),
    scrape_configs: z.array(
      z.strictObject({
        job_name: z.string(),
        scrape_interval: z.string().optional(),
        metrics_path: z.string().startsWith('/').optional(),
        params: z.record(z.string(), z.array(z.string())).optional(),
        authorization: z.strictObject({ credentials_file: z.string() }),
        static_configs: z.array(z.strictObject({ targets: z.array(z.string()) })),
      }),
    ),
  });
  const rulesSchema = z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string(),
            expr: z.string(),
            for: z.string().optional(),
            labels: z.record(z.string(), z.string()),
            annotations: z.strictObject({ summary: z.string() }),
          }),
        ),
      }),
    ),
  });
  const datasourcesSchema = z.strictObject({
    apiVersion: z.literal(1),
    datasources: z.array(z.looseObject({ name: z.string(), uid: z.string(), type: z.string() })),
  });

  test('scrape services of the compose file with the tokens that it mounts, and know the rules', () => {
    const { scrape_configs: jobs, rule_files: files } = prometheusSchema.parse(
      parse(read('deploy/prometheus/prometheus.yml')),
    );
    const hosts = jobs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets));
    expect(
      hosts.map((host) => host.split(':')[0]).every((host) => host !== undefined && host in compose.services),
    ).toBe(true);
    for (const { authorization } of jobs) {
      expect(text).toContain(`  ${path.basename(authorization.credentials_file)}: {`);
    }
    expect(files).toEqual(['/etc/prometheus/rules.yml']);
  });

  test('ask only for metrics that origin and edge have', () => {
    const has = ['origin', 'edge-worker/qos/now'].map(sources).join('\n');
    const { groups } = rulesSchema.parse(parse(read('deploy/prometheus/rill-origin.rules.yml')));
    const asked = `${JSON.stringify(originDashboard())} ${groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)).join(' ')}`;
    const names = [...new Set([...asked.matchAll(/\brill_[a-z_]+\b/g)].map(([name]) => name))];
    expect(names.length).toBeGreaterThan(5);
    expect(
      names.filter((name) => !has.includes(`${name}'`) && !has.includes(name.replace('rill_', "'"))),
    ).toEqual([]);
  });

  test('have their data sources and dashboards where the dashboards and the compose file name them', () => {
    const { datasources } = datasourcesSchema.parse(
      parse(read('deploy/grafana/provisioning/datasources/rill.yml')),
    );
    expect(datasources.map(({ uid }) => uid)).toContain('rill-prometheus');
    expect(JSON.parse(read('deploy/grafana/rill-origin.json'))).toEqual(originDashboard());
    const providers = z
      .strictObject({
        apiVersion: z.literal(1),
        providers: z.array(z.looseObject({ options: z.object({ path: z.string() }) })),
      })
      .parse(parse(read('deploy/grafana/provisioning/dashboards/rill.yml')));
    expect(text).toContain(`:${providers.providers[0]?.options.path}/rill-origin.json:ro`);
  });
});

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** The text of a folder's modules. */
function sources(folder: string): string {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => read(path.join(folder, file)))
    .join('\n');
}
