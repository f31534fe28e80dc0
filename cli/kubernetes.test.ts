import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { validate as ingress } from 'kubernetes-models/_schemas/IoK8sApiNetworkingV1Ingress';
import { validate as namespace } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Namespace';
import { validate as networkPolicy } from 'kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy';
import { validate as podDisruptionBudget } from 'kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget';
import { validate as service } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service';
import { validate as statefulSet } from 'kubernetes-models/_schemas/IoK8sApiAppsV1StatefulSet';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const FOLDER = path.resolve(import.meta.dirname, '../deploy/kubernetes');
/** The API's schemas, as this package compiles them, by the version that a manifest names. */
const VALIDATORS: Readonly<Record<string, Validate>> = {
  'v1 Namespace': namespace,
  'v1 Service': service,
  'apps/v1 StatefulSet': statefulSet,
  'networking.k8s.io/v1 Ingress': ingress,
  'networking.k8s.io/v1 NetworkPolicy': networkPolicy,
  'policy/v1 PodDisruptionBudget': podDisruptionBudget,
};
interface Validate {
  (data: unknown): boolean;
  readonly errors?: unknown;
}
const objectSchema = z.looseObject({ apiVersion: z.string(), kind: z.string() });
const podSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.looseObject({
        automountServiceAccountToken: z.literal(false),
        securityContext: z.looseObject({
          runAsNonRoot: z.literal(true),
          seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
        }),
        containers: z.array(
          z.looseObject({
            resources: z.object({ requests: z.looseObject({}), limits: z.looseObject({}) }),
            securityContext: z.object({
              allowPrivilegeEscalation: z.literal(false),
              readOnlyRootFilesystem: z.literal(true),
              capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
            }),
            livenessProbe: z.looseObject({}),
            readinessProbe: z.looseObject({}),
          }),
        ),
      }),
    }),
  }),
});
const kustomizationSchema = z.looseObject({
  resources: z.array(z.string()),
  configMapGenerator: z.array(z.object({ name: z.string(), files: z.array(z.string()) })).default([]),
});

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
);
const manifests = files.filter((file) => path.basename(file) !== 'kustomization.yaml');
const kustomizations = files.filter((file) => path.basename(file) === 'kustomization.yaml');

describe.each(manifests)('%s', (file) => {
  it("keeps to the API's schema and has no field that the API does not know", () => {
    for (const object of documents(file)) {
      expect(complaints(object)).toEqual([]);
    }
  });

  it('runs its pods as the restricted pod security standard has it, with probes and resources', () => {
    for (const object of documents(file).filter((one) => objectSchema.parse(one).kind === 'StatefulSet')) {
      expect(podSchema.safeParse(object).error).toBeUndefined();
    }
  });
});

it.each(kustomizations)('%s names what there is, and all of it', (file) => {
  const folder = path.dirname(path.join(FOLDER, file));
  const [text] = documents(file);
  const { resources, configMapGenerator } = kustomizationSchema.parse(text);
  const generated = configMapGenerator.flatMap((one) => one.files);
  expect([...resources, ...generated].filter((name) => !existsSync(path.join(folder, name)))).toEqual([]);
  const beside = readdirSync(folder).filter(
    (name) => statSync(path.join(folder, name)).isFile() && name !== 'kustomization.yaml',
  );
  expect([...resources, ...generated]).toEqual(expect.arrayContaining(beside));
});

it('a field that the API does not know, and a value of another type, are found', () => {
  const spec = { selector: { app: 'x' }, ports: [{ port: 80, protocl: 'TCP' }] };
  expect(complaints({ apiVersion: 'v1', kind: 'Service', spec })).toEqual([
    '/spec/ports/0/protocl is no field',
  ]);
  const wrong = { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 'http' }] } };
  expect(complaints(wrong)).toEqual([expect.objectContaining({ instancePath: '/spec/ports/0/port' })]);
});

function documents(file: string): readonly unknown[] {
  return parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((one) => {
    expect(one.errors).toEqual([]);
    return one.toJS() as unknown;
  });
}

/**
 * What is wrong with an object, fields among it that the schema has not looked at: Kubernetes' published schemas pass
 * over unknown fields, which an API server drops with a warning at most.
 */
function complaints(object: unknown): readonly unknown[] {
  const { apiVersion, kind } = objectSchema.parse(object);
  const validate = VALIDATORS[`${apiVersion} ${kind}`];
  if (validate === undefined) {
    throw new Error(`no schema for ${apiVersion} ${kind}: add it to VALIDATORS`);
  }
  const seen = new Set<string>();
  const isFine = validate(watch(object, '', seen));
  const unknown = fields(object, '').filter((field) => !seen.has(field));
  return isFine ? unknown.map((field) => `${field} is no field`) : [validate.errors].flat();
}

/** The same value, which notes the paths that are read; who lists an object's keys knows them all. */
function watch(value: unknown, at: string, seen: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return new Proxy(value, {
    get: (target, key) => {
      const inner: unknown = Reflect.get(target, key);
      seen.add(`${at}/${String(key)}`);
      return typeof key === 'string' && Object.hasOwn(target, key)
        ? watch(inner, `${at}/${key}`, seen)
        : inner;
    },
    ownKeys: (target) => {
      const keys = Reflect.ownKeys(target);
      for (const key of keys) {
        seen.add(`${at}/${String(key)}`);
      }
      return keys;
    },
  });
}

function fields(value: unknown, at: string): readonly string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => [`${at}/${key}`, ...fields(inner, `${at}/${key}`)]);
}
