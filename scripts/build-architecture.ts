/**
 * Draws docs/architecture.svg and writes the table of docs/architecture.md: the layers of src (scripts/layers.ts) with the
 * imports that the sources have. `--check` compares instead.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { LAYERS } from './layers.ts';
import { drawing, label, path, rect, writeOrCheck } from './svg.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');

/** Rows of the drawing, from the top. A layer imports from its own row or from lower ones. */
const ROWS: readonly (readonly string[])[] = [
  ['cli'],
  ['market', 'ort', 'pipeline', 'compile'],
  ['evm', 'backends', 'quant', 'onnx'],
  ['consensus', 'conformance'],
  ['runtime'],
  ['format'],
  ['graph'],
  ['ops'],
  ['core'],
];

interface Measured {
  readonly files: number;
  readonly lines: number;
  /** Imports of values by target layer. */
  readonly imports: ReadonlyMap<string, number>;
}

interface Statement {
  readonly type: string;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly source?: { readonly value: string };
}

/** Layers whose values a file imports, once an import. */
function importsOf(file: string): string[] {
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  return (program.body as unknown as readonly Statement[]).flatMap((s) => {
    const from = s.source?.value;
    if (from === undefined || !from.startsWith('.') || s.importKind === 'type' || s.exportKind === 'type') return [];
    const [layer] = relative(SRC, join(dirname(file), from)).split(/[/\\]/);
    return [layer!.replace(/\.ts$/, '')];
  });
}

function measure(layer: string): Measured {
  const files = readdirSync(join(SRC, layer), { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts') && !e.name.includes('.gen.'))
    .map((e) => join(e.parentPath, e.name));
  const imports = new Map<string, number>();
  let lines = 0;
  for (const file of files) {
    lines += readFileSync(file, 'utf8').split('\n').length - 1;
    for (const to of importsOf(file)) if (to !== layer) imports.set(to, (imports.get(to) ?? 0) + 1);
  }
  return { files: files.length, lines, imports };
}

const names: readonly string[] = Object.keys(LAYERS);
const measured = new Map(names.map((n) => [n, measure(n)]));
if (ROWS.flat().sort().join() !== [...names].sort().join()) throw new Error('each layer has one place in ROWS');

const [WIDTH, HEIGHT, STEP] = [190, 54, 92];
const boxes = new Map(
  ROWS.flatMap((row, r) =>
    row.map((name, i) => [name, { x: 450 + (i - (row.length - 1) / 2) * 216 - WIDTH / 2, y: 40 + r * STEP }] as const),
  ),
);

/** An arrow from a layer to one below it; those of neighbouring rows are straight, others swing out. */
function edge(from: string, to: string, count: number): string {
  const [a, b] = [boxes.get(from)!, boxes.get(to)!];
  const width = Math.min(5, 0.8 + Math.log2(count) * 0.6).toFixed(1);
  const [x1, x2] = [a.x + WIDTH / 2, b.x + WIDTH / 2];
  const more = ` stroke-width="${width}" marker-end="url(#to)"`;
  if (a.y === b.y) {
    const left = a.x < b.x;
    const y = a.y + (left ? 20 : 34);
    return path(`M${left ? a.x + WIDTH : a.x} ${y}L${left ? b.x : b.x + WIDTH} ${y}`, 'edge', more);
  }
  const rows = Math.round((b.y - a.y) / STEP);
  const swing = rows > 1 && Math.abs(x1 - x2) < 60 ? (names.indexOf(from) % 2 === 0 ? -1 : 1) * (100 + 24 * rows) : 0;
  const [y1, y2] = [a.y + HEIGHT, b.y];
  const middle = (y1 + y2) / 2;
  return swing === 0
    ? path(`M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, 'edge', more)
    : path(`M${x1} ${y1}C${x1 + swing} ${y1 + 30} ${x2 + swing} ${y2 - 30} ${x2} ${y2}`, 'edge', more);
}

/** Edges of the drawing: those that no longer way through other layers stands for. */
function drawn(): [string, string, number][] {
  const reach = (from: string, to: string, direct: boolean): boolean =>
    [...measured.get(from)!.imports.keys()].some(
      (n) =>
        n !== from &&
        names.includes(n) &&
        (n === to ? direct : boxes.get(n)!.y > boxes.get(from)!.y && reach(n, to, true)),
    );
  return names.flatMap((from) =>
    [...measured.get(from)!.imports]
      .filter(([to]) => names.includes(to) && boxes.get(to)!.y >= boxes.get(from)!.y && !reach(from, to, false))
      .map(([to, count]): [string, string, number] => [from, to, count]),
  );
}

const svg = drawing(900, 40 + ROWS.length * STEP, 'Layers of the sources and their imports', [
  label(24, 30, 'imports point down; the width is their number; what another arrow implies is left out', 'small'),
  ...drawn().map((e) => edge(...e)),
  ...[...boxes].flatMap(([name, { x, y }]) => [
    rect(x, y, WIDTH, HEIGHT),
    label(x + WIDTH / 2, y + 22, name, 'mid name'),
    label(x + WIDTH / 2, y + 41, LAYERS[name]!.holds, 'mid small'),
  ]),
]);

function table(): string {
  const rows = names.map((name) => {
    const { files, imports } = measured.get(name)!;
    const used = [...imports]
      .filter(([to]) => names.includes(to))
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return `| \`${name}\` | ${LAYERS[name]!.holds} | ${files} | ${used.map(([to, n]) => `${to} ${n}`).join(', ') || '–'} |`;
  });
  return ['| layer | holds | files | imports of values |', '|---|---|--:|---|', ...rows].join('\n');
}

const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const marks = /(<!-- layers: [^\n]*-->\n)[\s\S]*(<!-- \/layers -->)/;
writeOrCheck(
  {
    'docs/architecture.svg': svg,
    'docs/architecture.md': page.replace(marks, (_, a: string, b: string) => `${a}${table()}\n${b}`),
  },
  'npx tsx scripts/build-architecture.ts',
);
