/**
 * Drawings of docs/ as SVG, readable in light and dark: the colours follow the reader's scheme, the ground is transparent
 * where the scheme is not known.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const STYLE = `
    .bg { fill: #ffffff; } .box { fill: #f3f5f8; stroke: #57606a; stroke-width: 1.2; }
    .soft { fill: #dbe7f5; } .bar { fill: #2f6fb3; } .warm { fill: #c2571a; } .good { fill: #2c7a4b; }
    .line { stroke: #57606a; stroke-width: 1.2; fill: none; } .thin { stroke: #8a94a0; stroke-width: 1; fill: none; }
    .edge { stroke: #2f6fb3; fill: none; stroke-opacity: 0.55; }
    text { fill: #1f2328; font-size: 14px; } .small { font-size: 12px; fill: #57606a; } .mid { text-anchor: middle; }
    .end { text-anchor: end; } .name { font-weight: 600; } .mono { font-family: ui-monospace, monospace; font-size: 13px; }
    @media (prefers-color-scheme: dark) {
      .bg { fill: #14181d; } .box { fill: #20262e; stroke: #9aa4af; } .soft { fill: #26384d; } .bar { fill: #6fa8e0; }
      .warm { fill: #e5935b; } .good { fill: #6cc08b; } .line { stroke: #9aa4af; } .thin { stroke: #6b7580; }
      .edge { stroke: #6fa8e0; } text { fill: #e6e9ec; } .small { fill: #a9b3bd; }
    }`;

/** Text as it stands in an element. */
export function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A label; `kind` are classes: small, mid, end, name, mono. */
export function label(x: number, y: number, text: string, kind = ''): string {
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${escapeXml(text)}</text>`;
}

/** A rectangle. */
export function rect(x: number, y: number, width: number, height: number, kind = 'box', radius = 6): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

/** A path of the classes line, thin or edge. */
export function path(d: string, kind = 'line', more = ''): string {
  return `<path class="${kind}" d="${d}"${more}/>`;
}

/** A whole drawing; `title` is what a screen reader says. */
export function drawing(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" role="img" aria-label="${escapeXml(title)}">
  <title>${escapeXml(title)}</title>
  <style>${STYLE}
  </style>
  <defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto"><path class="bar" d="M0 0L8 4L0 8z"/></marker></defs>
  <rect class="bg" width="${width}" height="${height}" rx="8"/>
${parts.map((p) => `  ${p}`).join('\n')}
</svg>
`;
}

/** Writes generated files, or with --check says which differ and ends with 1. Paths from the root. */
export function writeOrCheck(files: Readonly<Record<string, string>>, command: string): void {
  const check = process.argv.includes('--check');
  for (const [name, text] of Object.entries(files)) {
    const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
    if (!check) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      console.error(`${name} is not what the sources give: ${command}`);
      process.exitCode = 1;
    }
  }
}
