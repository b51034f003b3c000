/**
 * Tables.
 * @module
 */
import { el } from './dom.ts';

type Cell = Node | string;

/** A column: its heading, and whether it holds numbers. */
export interface Column {
  readonly head: string;
  readonly number?: boolean;
}

/** Parts of a table in a region that scrolls by keyboard where the page is narrow. */
export function frame(name: string, ...parts: readonly Node[]): HTMLElement {
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': name }, el('table', {}, ...parts));
}

/** A table with a caption. The first cell of a row heads it. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Cell[])[]): HTMLElement {
  const numeric = (i: number): string | undefined => (columns[i]?.number ? 'number' : undefined);
  return frame(
    caption,
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...columns.map((c, i) => el('th', { scope: 'col', class: numeric(i) }, c.head)))),
    el('tbody', {}, ...rows.map((row) => tableRow(row, numeric))),
  );
}

function tableRow(row: readonly Cell[], numeric: (i: number) => string | undefined): HTMLElement {
  return el(
    'tr',
    {},
    ...row.map((cell, i) => el(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : undefined, class: numeric(i) }, cell)),
  );
}
