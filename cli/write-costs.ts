/** Writes the cost tables into docs/deploy.md, between its two markers. */

import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { DEFAULT_WORKLOAD, pricesSchema, renderCosts, type Prices } from './deploy/costs.ts';

const DOCUMENT = new URL('../docs/deploy.md', import.meta.url);
const PRICES = new URL('../deploy/cloudflare/prices.json', import.meta.url);
const SECTION = /<!-- costs -->[\s\S]*<!-- \/costs -->/;

/** The price list of the repository. */
export function readPrices(): Prices {
  return pricesSchema.parse(JSON.parse(readFileSync(PRICES, 'utf8')));
}

/** The tables between their markers. */
export function costSection(): string {
  const prices = readPrices();
  return `<!-- costs -->\n\nPrices of ${prices.date}, in ${prices.currency}, beyond what a plan includes.\n\n${renderCosts(prices, DEFAULT_WORKLOAD)}\n\n<!-- /costs -->`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = (await readFile(DOCUMENT, 'utf8')).replace(SECTION, costSection());
  await writeFile(DOCUMENT, await format(text, { parser: 'markdown' }));
}
