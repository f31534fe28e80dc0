/** Rows as CSV, RFC 4180, which a spreadsheet may open. */

/** Renders rows under a line of column names; a text that a spreadsheet would take for a formula gets a "'" in front. */
export function renderCsv(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(renderCell).join(',')}\r\n`).join('');
}

function renderCell(value: unknown): string {
  if (typeof value === 'number') {
    return String(value);
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
