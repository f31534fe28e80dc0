/** What an environment of `wrangler.toml` deploys: the Worker's and the bucket's name. */

import { unstable_readConfig as readConfig } from 'wrangler';
import { z } from 'zod';
import { CommandError } from '../terminal.ts';

/** Environments that `wrangler.toml` has. */
export const ENVIRONMENTS = ['staging', 'production'] as const;
/** One of them. */
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** A Worker and its bucket, as an environment names them. */
export interface Target {
  readonly environment: EnvironmentName;
  readonly worker: string;
  readonly bucket: string;
}

const configSchema = z.object({
  name: z.string().optional(),
  r2_buckets: z.array(z.object({ bucket_name: z.string().optional() })),
});

/** Reads an environment; throws a {@link CommandError} where it lacks a name or its one bucket. */
export function readTarget(configFile: string, environment: EnvironmentName): Target {
  const config = configSchema.parse(readConfig({ config: configFile, env: environment }));
  const { name, r2_buckets: buckets } = config;
  const [bucket, ...more] = buckets.map((one) => one.bucket_name);
  if (name === undefined || bucket === undefined || more.length > 0) {
    throw new CommandError(`${configFile}: [env.${environment}] needs a name and exactly one of r2_buckets`);
  }
  return { environment, worker: name, bucket };
}
