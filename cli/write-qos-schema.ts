/** Writes what is generated from the QoS table's definition: its documentation and the ClickHouse statement. */

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createTableStatement, schemaDocument } from '#shared/qos/table-definition.ts';

const ROOT = new URL('..', import.meta.url);

await mkdir(fileURLToPath(new URL('deploy/clickhouse', ROOT)), { recursive: true });
await writeFile(new URL('docs/qos-schema.md', ROOT), schemaDocument());
await writeFile(new URL('deploy/clickhouse/rill_qos.sql', ROOT), `${createTableStatement()};\n`);
