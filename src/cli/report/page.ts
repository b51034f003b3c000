/**
 * One HTML file with everything in it: no script, no network, light or dark as the reader's system is.
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML: names of a model are its author's. */
export function html(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c]!).replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, '�');
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6673; --line: #d5dae1; --back: #ffffff; --card: #f5f7f9;
  --blue: #0b68c4; --orange: #b9540a; --red: #b3261e; --green: #1d7a46; --bar: #9cc4ec; --warm: #f0bd8e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa4b2; --line: #343b45; --back: #14171b;
  --card: #1d2228; --blue: #74b3f5; --orange: #f2a766; --red: #ff8f86; --green: #6fcf97; --bar: #2f5f92; --warm: #8a5526; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px clamp(16px, 4vw, 56px) 64px; background: var(--back); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 10px; } h3 { font-size: 14px; margin: 16px 0 6px; }
p { margin: 6px 0; max-width: 76ch; } .soft { color: var(--soft); } code, .mono { font: 12px/1.4 ui-monospace, monospace; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; } .tile { background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 10px 14px; min-width: 128px; } .tile b { display: block; font-size: 19px; font-weight: 600; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; } th, td { padding: 5px 8px; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line); vertical-align: middle; } tr:last-child td { border-bottom: 0; }
th { position: sticky; top: 0; background: var(--card); font-weight: 600; color: var(--soft); }
td.r, th.r { text-align: right; font-variant-numeric: tabular-nums; } td.wrap { white-space: normal; min-width: 120px; max-width: 240px; line-height: 1.3; }
td.name { max-width: 300px; overflow: hidden; text-overflow: ellipsis; }
tr:target td { background: var(--warm); } ul { margin: 6px 0; padding-left: 20px; } li { margin: 4px 0; max-width: 90ch; }
svg { display: block; } svg.wide { width: 100%; min-width: 640px; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } .ink { fill: var(--ink) !important; }
.pictures { display: flex; flex-wrap: wrap; gap: 16px; margin: 8px 0; } figure { margin: 0; } figcaption { color: var(--soft); font-size: 12px; }
img { display: block; image-rendering: pixelated; border: 1px solid var(--line); border-radius: 4px; max-width: 100%; }
h3 .soft { font-weight: 400; } .outputs { display: flex; flex-wrap: wrap; gap: 0 24px; align-items: flex-start; } .output { max-width: 100%; }
.boxes { border: 1px solid var(--line); border-radius: 4px; max-width: 100%; height: auto; } .boxes rect { fill: none; }
.boxes.float rect { stroke: #2f9bff; } .boxes.ours rect { stroke: #ff9a3d; } .boxes text { font-size: inherit; font-weight: 600; fill: #fff; paint-order: stroke;
  stroke: #000; stroke-width: 0.2em; }
.bad { color: var(--red); } .good { color: var(--green); }
`;

/** A page of a title and sections of HTML. */
export function page(title: string, sections: readonly string[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${html(title)}</title><style>${STYLE}</style></head>
<body><h1>${html(title)}</h1>
${sections.join('\n')}
</body></html>
`;
}

/** A cell: HTML, with classes. */
export interface Cell {
  readonly html: string;
  readonly as?: string;
  readonly title?: string;
}

/** Cells with classes. */
export const cell = {
  text: (text: string, as = ''): Cell => ({ html: html(text), as }),
  name: (text: string): Cell => ({ html: html(text), as: 'name', title: text }),
  number: (text: string): Cell => ({ html: html(text), as: 'r' }),
};

/** A table; `ids` make rows that links reach. */
export function tableOf(
  heads: readonly (string | Cell)[],
  rows: readonly (readonly Cell[])[],
  ids?: readonly string[],
): string {
  const head = heads.map((h) => (typeof h === 'string' ? `<th>${html(h)}</th>` : `<th class="${h.as}">${h.html}</th>`));
  const one = (c: Cell): string =>
    `<td${c.as ? ` class="${c.as}"` : ''}${c.title ? ` title="${html(c.title)}"` : ''}>${c.html}</td>`;
  const body = rows.map((r, i) => `<tr${ids ? ` id="${ids[i]}"` : ''}>${r.map(one).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

/** Figures with what they are. */
export function tiles(list: readonly (readonly [figure: string, what: string])[]): string {
  return `<div class="tiles">${list.map(([f, w]) => `<div class="tile"><b>${html(f)}</b>${html(w)}</div>`).join('')}</div>`;
}
