/** Tables of rows. */

import { make } from './element.ts';
import { NOTHING } from './format.ts';

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  /** What the cell says; a node is put in as it is. */
  readonly cell: (row: T) => string | Node;
  /** Left-aligned, the row's head. */
  readonly isText?: boolean;
  /** Whether the figure is one to worry about. */
  readonly isBad?: (row: T) => boolean;
}

/** Fills a table; the focus stays on the same button of the same row while rows come and go. */
export function fillTable<T>(
  table: HTMLTableElement,
  columns: readonly Column<T>[],
  content: { readonly rows: readonly T[]; readonly none: string; readonly caption?: string },
): void {
  const focused = table.contains(document.activeElement) ? document.activeElement : null;
  const key = focused instanceof HTMLElement ? focused.dataset['key'] : undefined;
  const head = make('thead', {}, make('tr', {}, ...columns.map((column) => headCell(column))));
  const body = make('tbody', {}, ...content.rows.map((row) => bodyRow(row, columns)));
  if (content.rows.length === 0) {
    const cell = make('td', { className: 'empty' }, content.none);
    cell.colSpan = columns.length;
    body.append(make('tr', {}, cell));
  }
  const caption = content.caption === undefined ? [] : [make('caption', {}, content.caption)];
  table.replaceChildren(...caption, head, body);
  if (key !== undefined) {
    table.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }
}

/** A button in a table; `key` names it across fillings. */
export function tableButton(text: string, key: string, act: () => void, label = text): HTMLButtonElement {
  const button = make('button', { className: 'link' }, text);
  button.type = 'button';
  button.dataset['key'] = key;
  button.setAttribute('aria-label', label);
  button.addEventListener('click', act);
  return button;
}

function headCell<T>({ title, isText }: Column<T>): HTMLElement {
  return make('th', { scope: 'col', className: isText === true ? 'text' : '' }, title);
}

function bodyRow<T>(row: T, columns: readonly Column<T>[]): HTMLElement {
  const cells = columns.map(({ cell, isText, isBad }, index) => {
    const content = cell(row);
    const className = [isText === true ? 'text' : '', isBad?.(row) === true ? 'bad' : ''].join(' ').trim();
    const shown = content === '' ? NOTHING : content;
    return index === 0 ? make('th', { scope: 'row', className }, shown) : make('td', { className }, shown);
  });
  return make('tr', {}, ...cells);
}
