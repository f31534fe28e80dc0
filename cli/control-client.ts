/** Asks the control API of an instance. */

import { z } from 'zod';
import { controlUrl, type Location } from './addresses.ts';
import { CommandError } from './terminal.ts';

/** The control API answers from memory; a reload asks ffmpeg. */
const ANSWER_LIMIT_MS = 10_000;

const refusalSchema = z.object({ error: z.string(), detail: z.string().optional() });

/** One control API and the way in. */
export interface ControlAccess {
  readonly location: Location;
  readonly controlToken: string;
}

/** A request below `/v1`. */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** Asks and returns the answer as the schema reads it; a {@link CommandError} says why there is none. */
export async function askControl<T>(
  access: ControlAccess,
  request: ControlRequest,
  schema: z.ZodType<T>,
): Promise<T> {
  const root = controlUrl(access.location);
  const response = await send(root, access.controlToken, request);
  const json: unknown = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (!response.ok) {
    const refusal = refusalSchema.safeParse(json);
    const why = refusal.data?.detail ?? 'is it the instance of this --data-dir?';
    throw new CommandError(`the control API at ${root} answered ${response.status}: ${why}`);
  }
  const answer = schema.safeParse(json);
  if (!answer.success) {
    throw new CommandError(`the control API at ${root} answered with something else than was asked for`);
  }
  return answer.data;
}

async function send(root: string, token: string, { method, path, body }: ControlRequest): Promise<Response> {
  try {
    return await fetch(`${root}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new CommandError(
      `no control API at ${root}: start the instance with "npm start", or name its port with --control-port`,
      { cause: error },
    );
  }
}
