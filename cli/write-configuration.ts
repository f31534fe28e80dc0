/** Writes what is generated from the schemas of an origin's settings: tables of a page, and a JSON schema. */

import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { configurationJsonSchema, renderConfigurationPage } from './configuration-document.ts';

const DOCS = new URL('../docs/', import.meta.url);
const PAGE = new URL('configuration.md', DOCS);
const SCHEMA = new URL('configuration.schema.json', DOCS);

async function writeFormatted(file: URL, text: string, parser: 'markdown' | 'json'): Promise<void> {
  const style = await resolveConfig(file);
  await writeFile(file, await format(text, { ...style, parser }));
}

await writeFormatted(PAGE, renderConfigurationPage(await readFile(PAGE, 'utf8')), 'markdown');
await writeFormatted(SCHEMA, JSON.stringify(configurationJsonSchema()), 'json');
