/** Asks an instance's edge for a report, as `rill qos` does. */

import { SignJWT } from 'jose';
import { edgeUrl, type Location } from './addresses.ts';
import { CommandError } from './terminal.ts';
import { table } from './table.ts';

/** The engine may take ten seconds, and its answer some. */
const ANSWER_LIMIT_MS = 15_000;
/** A token for one question, seconds. */
const TOKEN_TTL = 60;

/** A question and how its answer is wanted. */
export interface QosQuestion {
  readonly report: string;
  /** Parameters of the report that were given. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly format: 'table' | 'json' | 'csv';
}

/** Asks and renders; throws a {@link CommandError} with what the edge says is wrong. */
export async function askQosReport(
  question: QosQuestion,
  at: { readonly location: Location; readonly playSecret: string; readonly now: number },
): Promise<string> {
  const url = new URL(`${edgeUrl(at.location)}/v1/qos/${question.report}`);
  for (const [name, value] of Object.entries(question.parameters)) {
    if (value !== undefined) {
      url.searchParams.set(name, value);
    }
  }
  url.searchParams.set('format', question.format === 'csv' ? 'csv' : 'json');
  const text = await ask(url, await analyticsToken(at.playSecret, at.now));
  return question.format === 'table' ? renderTable(JSON.parse(text)) : text.trimEnd();
}

async function ask(url: URL, token: string): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
  } catch (error) {
    const hint = 'start the instance with "npm start", or name its port with --edge-port';
    throw new CommandError(`no edge at ${url.origin}: ${hint}`, { cause: error });
  }
  const text = await answer.text();
  if (!answer.ok) {
    throw new CommandError(`the edge at ${url.origin} answered ${answer.status}: ${text.trim()}`);
  }
  return text;
}

async function analyticsToken(playSecret: string, now: number): Promise<string> {
  const issued = Math.floor(now);
  return new SignJWT({ scope: 'analytics', iat: issued, exp: issued + TOKEN_TTL })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(playSecret));
}

function renderTable(answer: {
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}): string {
  const names = Object.keys(answer.rows[0] ?? {});
  if (names.length === 0) {
    return 'no rows';
  }
  const rows = answer.rows.map((row) => names.map((name) => cell(name, row[name] ?? '')));
  return table([names.map((name) => name.toUpperCase()), ...rows]);
}

function cell(name: string, value: string | number): string {
  if (name === 'time' && typeof value === 'number') {
    return new Date(value * 1000).toISOString().replace('.000', '');
  }
  return typeof value === 'number' ? String(Math.round(value * 10_000) / 10_000) : value || '-';
}
