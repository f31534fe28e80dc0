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

/**
 * Fills a table. Cells that say the same stay as they are: a button that is being pressed, or has the focus, must not
 * be replaced by its like.
 */
export function fillTable<T>(
  table: HTMLTableElement,
  columns: readonly Column<T>[],
  content: { readonly rows: readonly T[]; readonly none: string },
): void {
  const head = make('thead', {}, make('tr', {}, ...columns.map((column) => headCell(column))));
  const body = make('tbody', {}, ...content.rows.map((row) => bodyRow(row, columns)));
  if (content.rows.length === 0) {
    const cell = make('td', { className: 'empty' }, content.none);
    cell.colSpan = columns.length;
    body.append(make('tr', {}, cell));
  }
  const focused = table.contains(document.activeElement) ? document.activeElement : null;
  const [before] = table.tBodies;
  if (before === undefined || table.tHead?.isEqualNode(head) !== true) {
    table.replaceChildren(head, body);
  } else {
    replaceChanged(before, body);
  }
  // A row that has moved takes the focus along.
  if (focused instanceof HTMLElement && !table.contains(focused)) {
    const key = CSS.escape(focused.dataset['key'] ?? '');
    table.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus();
  }
}

function replaceChanged(before: HTMLTableSectionElement, after: HTMLTableSectionElement): void {
  const rows = [...before.rows];
  const fresh = [...after.rows];
  for (const [index, row] of fresh.entries()) {
    const old = rows[index];
    if (old === undefined) {
      before.append(row);
    } else if (old.cells.length === row.cells.length) {
      const cells = [...row.cells];
      for (const [at, cell] of [...old.cells].entries()) {
        const next = cells[at];
        if (next !== undefined && !cell.isEqualNode(next)) {
          cell.replaceWith(next);
        }
      }
    } else {
      old.replaceWith(row);
    }
  }
  for (const gone of rows.slice(fresh.length)) {
    gone.remove();
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
