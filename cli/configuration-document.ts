/**
 * What is documented of an origin's settings, made from the schemas by which they are read: the tables of
 * `docs/configuration.md` between `<!-- settings: … -->` and `<!-- /settings -->`, and the JSON schema for editors.
 */

import { z } from 'zod';
import { environmentSchema } from '../origin/settings-environment.ts';
import { configurationSchema } from '../origin/settings.ts';
import { ladderSchema } from '../origin/transcode/ladder.ts';

/** As much of JSON Schema as zod writes for settings. */
interface SettingSchema {
  readonly description?: string;
  /** Set where a running origin does not take a change over. */
  readonly reload?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SettingSchema | boolean;
  readonly items?: SettingSchema;
  readonly anyOf?: readonly SettingSchema[];
  readonly oneOf?: readonly SettingSchema[];
}

/** One setting; `path` has `NAME` for a key that the user chooses and `[]` for the entries of a list. */
export interface DocumentedSetting {
  readonly path: string;
  readonly default: string;
  readonly values: string;
  readonly meaning: string;
}

/** A marker that opens a table: what stands in it is rewritten. */
const BLOCK = /<!-- settings: (?<what>[^>]+?) -->\n[\s\S]*?<!-- \/settings -->/g;
/** What the paths of `streams` share with those above them is not told twice. */
const STREAM_PREFIX = 'streams.NAME.';

/** The JSON schema of the configuration file. */
export function configurationJsonSchema(): object {
  return toJsonSchema(configurationSchema(ladderSchema));
}

/** All settings of the configuration file, in the schema's order. */
export function fileSettings(): readonly DocumentedSetting[] {
  const all = walk(configurationJsonSchema(), '');
  const above = new Set(all.map(({ path, meaning }) => `${path} ${meaning}`));
  return all.filter(
    ({ path, meaning }) =>
      !path.startsWith(STREAM_PREFIX) || !above.has(`${path.slice(STREAM_PREFIX.length)} ${meaning}`),
  );
}

/** All variables of the environment. */
export function environmentSettings(): readonly DocumentedSetting[] {
  return walk(toJsonSchema(environmentSchema), '');
}

/** The page with its tables written anew; throws RangeError for a marker that names no setting. */
export function renderConfigurationPage(page: string): string {
  const named = [...page.matchAll(BLOCK)].flatMap(({ groups }) => pathsOf(groups?.['what'] ?? ''));
  return page.replaceAll(
    BLOCK,
    (_block, what: string) => `<!-- settings: ${what} -->\n\n${tableOf(what, named)}\n\n<!-- /settings -->`,
  );
}

function tableOf(what: string, named: readonly string[]): string {
  if (what === 'environment') {
    return environmentTable(environmentSettings());
  }
  const rows = fileSettings().filter(({ path }) => {
    const owner = named.filter((prefix) => isBelow(path, prefix)).toSorted((a, b) => b.length - a.length)[0];
    return what === 'file' ? owner === undefined : owner !== undefined && pathsOf(what).includes(owner);
  });
  if (rows.length === 0) {
    throw new RangeError(`docs/configuration.md has a table of "${what}", which is no setting`);
  }
  return fileTable(rows);
}

/** A marker names paths whose settings, with all below them, are in its table; `file` has what no other names. */
function pathsOf(what: string): readonly string[] {
  return what === 'environment' || what === 'file' ? [] : what.split(' ');
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[]`);
}

function environmentTable(settings: readonly DocumentedSetting[]): string {
  const rows = settings.map(
    ({ path, default: fallback, values, meaning }) =>
      `| \`${path}\` | ${fallback} | ${meaning}${/^(?:text|`true`, `false`)$/.test(values) ? '' : `: ${values}`} |`,
  );
  return ['| variable | default | meaning |', '| - | - | - |', ...rows].join('\n');
}

function fileTable(settings: readonly DocumentedSetting[]): string {
  const rows = settings.map(
    ({ path, default: fallback, values, meaning }) =>
      `| \`${path}\` | ${fallback} | ${values} | ${meaning} |`,
  );
  return ['| key | default | values | meaning |', '| - | - | - | - |', ...rows].join('\n');
}

function toJsonSchema(schema: z.ZodType): SettingSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      // A default behind a transform is left out by zod, since it is of the output's type; numbers are numbers in both.
      if (def.type === 'default' && typeof def.defaultValue === 'number') {
        jsonSchema.default ??= def.defaultValue;
      }
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) {
        delete jsonSchema.maximum;
      }
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) {
        delete jsonSchema.minimum;
      }
    },
  }) as SettingSchema;
}

function walk(schema: SettingSchema, path: string): readonly DocumentedSetting[] {
  const { properties = {}, required = [], additionalProperties, items, anyOf, oneOf } = schema;
  const own = Object.entries(properties).flatMap(([key, one]) => {
    const below = path === '' ? key : `${path}.${key}`;
    return [setting(one, below, required.includes(key)), ...walk(one, below)];
  });
  const named = typeof additionalProperties === 'object' ? walk(additionalProperties, `${path}.NAME`) : [];
  const listed = items === undefined ? [] : walk(items, `${path}[]`);
  const alternatives = (anyOf ?? oneOf ?? []).flatMap((one) => walk(one, path));
  return merged([...own, ...named, ...listed, ...alternatives]);
}

/** Alternatives of one list share keys: each is told once, with the values of all. */
function merged(settings: readonly DocumentedSetting[]): readonly DocumentedSetting[] {
  const byPath = new Map<string, DocumentedSetting>();
  for (const one of settings) {
    const before = byPath.get(one.path);
    byPath.set(one.path, before === undefined ? one : joined(before, one));
  }
  return [...byPath.values()];
}

function joined(a: DocumentedSetting, b: DocumentedSetting): DocumentedSetting {
  const both = (one: string, other: string): string => (one === other ? one : `${one}; ${other}`);
  return {
    path: a.path,
    default: both(a.default, b.default),
    values: both(a.values, b.values),
    meaning:
      a.values === b.values || a.meaning === b.meaning
        ? both(a.meaning, b.meaning)
        : `${a.values}: ${a.meaning}; ${b.values}: ${b.meaning}`,
  };
}

function setting(schema: SettingSchema, path: string, isRequired: boolean): DocumentedSetting {
  return {
    path,
    default: fallbackOf(schema, isRequired),
    values: valuesOf(schema),
    meaning:
      `${schema.description ?? ''}${schema.reload === undefined ? '' : '; from the next start'}`.replaceAll(
        '|',
        '\\|',
      ),
  };
}

function fallbackOf(schema: SettingSchema, isRequired: boolean): string {
  const { default: fallback } = schema;
  if (fallback === undefined) {
    return isRequired ? 'required' : 'none';
  }
  const isEmpty = typeof fallback === 'object' && fallback !== null && Object.keys(fallback).length === 0;
  return isEmpty ? 'none' : `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``;
}

function valuesOf(schema: SettingSchema): string {
  const {
    const: only,
    enum: some,
    anyOf,
    oneOf,
    type = 'any',
    minimum,
    maximum,
    minItems,
    maxItems,
  } = schema;
  if (only !== undefined) {
    return `\`${JSON.stringify(only).replaceAll('"', '')}\``;
  }
  if (some !== undefined) {
    return some.map((value) => `\`${String(value)}\``).join(', ');
  }
  const alternatives = anyOf ?? oneOf;
  if (alternatives !== undefined) {
    return [...new Set(alternatives.map(valuesOf))].join(' or ');
  }
  const kinds: Readonly<Record<string, string>> = { string: 'text', array: 'list', integer: 'number' };
  return `${kinds[type] ?? type}${bounds(minimum ?? minItems, maximum ?? maxItems)}`;
}

function bounds(min: number | undefined, max: number | undefined): string {
  if (min === undefined) {
    return max === undefined ? '' : `, up to ${max}`;
  }
  return max === undefined ? `, from ${min}` : `, ${min} to ${max}`;
}
