import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import {
  configurationJsonSchema,
  environmentSettings,
  fileSettings,
  renderConfigurationPage,
} from './configuration-document.ts';

const PAGE = new URL('../docs/configuration.md', import.meta.url);
const SCHEMA = new URL('../docs/configuration.schema.json', import.meta.url);

test('the documented settings are those of the schemas: node cli/write-configuration.ts', async () => {
  const page = await readFile(PAGE, 'utf8');
  const style = await resolveConfig(PAGE);
  expect(await format(renderConfigurationPage(page), { ...style, parser: 'markdown' })).toBe(page);
  const schema: unknown = JSON.parse(await readFile(SCHEMA, 'utf8'));
  expect(schema).toEqual(JSON.parse(JSON.stringify(configurationJsonSchema())));
});

test('every setting has a meaning', () => {
  const silent = [...environmentSettings(), ...fileSettings()].filter(({ meaning }) => meaning === '');
  expect(silent.map(({ path }) => path)).toEqual([]);
});

test('a table has what its marker names with all below, and the table of the file what no other has', () => {
  const page = [
    '<!-- settings: file -->',
    '<!-- /settings -->',
    '<!-- settings: publish -->',
    '<!-- /settings -->',
  ];
  const [rest = '', publish = ''] = renderConfigurationPage(page.join('\n')).split(
    '<!-- settings: publish -->',
  );
  expect(publish).toContain(
    '| `publish.webhook.timeout` | `3` | number, 0.1 to 10 | seconds to wait for its answer |',
  );
  expect(publish).toContain('| `publish.tokenKeys[].keyId` | required |');
  expect(rest).toContain('| `partTarget` | `0.5` | number, 0.2 to 1 |');
  expect(rest).not.toContain('publish.webhook');
  expect(rest).not.toContain('streams.NAME.partTarget');
});

test('a marker that names no setting is refused', () => {
  expect(() => renderConfigurationPage('<!-- settings: colour -->\n<!-- /settings -->')).toThrow('colour');
});
