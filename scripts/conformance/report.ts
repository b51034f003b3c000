/**
 * CONFORMANCE.md: counts by road, class and kind, by operator, and why tests are refused.
 * @module
 */
import type { Case, Row } from './cases.ts';
import { byDesign } from './design.ts';

const CLASSES = ['exact', 'bounded', 'refused by design', 'not yet', 'fail'] as const;
const ROADS = ['integer', 'float'] as const;

/** Class of a row as the report counts it. */
function classOf(row: Row): string {
  return row.class !== 'refused' ? row.class : byDesign(row) ? 'refused by design' : 'not yet';
}

/** Which column a test counts in: node tests, their expanded twins, simple tests. */
function column(test: Case): 'node' | 'twin' | 'simple' {
  if (!test.name.startsWith('node/')) return 'simple';
  return test.expanded ? 'twin' : 'node';
}

function table(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const align = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, align, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Counts per road and class in the three columns. */
function totals(cases: ReadonlyMap<string, Case>, rows: readonly Row[]): string {
  const lines = ROADS.flatMap((road) =>
    CLASSES.map((kind) => {
      const own = rows.filter((r) => r.road === road && classOf(r) === kind);
      const count = (c: string): number => own.filter((r) => column(cases.get(r.test)!) === c).length;
      return [road, kind, count('node'), count('twin'), count('simple')];
    }),
  );
  return table(['road', 'class', 'node tests', '`*_expanded` twins', 'simple tests'], lines);
}

/** Passed node tests of both roads by a key of the test. */
function passedBy(cases: readonly Case[], rows: readonly Row[], key: (c: Case) => string, head: string): string {
  const passed = new Set(
    rows.filter((r) => r.class === 'exact' || r.class === 'bounded').map((r) => `${r.road} ${r.test}`),
  );
  const groups = new Map<string, Case[]>();
  for (const c of cases) if (column(c) === 'node') groups.set(key(c), [...(groups.get(key(c)) ?? []), c]);
  const lines = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => [
      name,
      own.length,
      ...ROADS.map((road) => own.filter((c) => passed.has(`${road} ${c.name}`)).length),
    ]);
  return table([head, 'tests', 'integer', 'float'], lines);
}

/** A refusal without what is particular to one test. */
function general(reason: string): string {
  return reason
    .replace(/node [^ ]+ \((\w+)\): /, '$1: ')
    .replace(/tensor "[^"]*"/, 'a tensor')
    .replace(/"[^"]*"/g, '…')
    .replace(/(?<![A-Za-z0-9])-?\d+(\.\d+)?(e[-+]\d+)?/g, 'n')
    .replaceAll('|', '\\|');
}

/** Node tests refused by design, by why. */
function designs(cases: ReadonlyMap<string, Case>, rows: readonly Row[]): string {
  const counts = new Map<string, [number, number]>();
  for (const r of rows) {
    const why = r.class === 'refused' && column(cases.get(r.test)!) === 'node' ? byDesign(r) : undefined;
    if (why === undefined) continue;
    const own = counts.get(why) ?? [0, 0];
    own[r.road === 'integer' ? 0 : 1] += 1;
    counts.set(why, own);
  }
  const lines = [...counts].sort(([a, [n]], [b, [m]]) => m - n || (a < b ? -1 : 1)).map(([why, n]) => [why, ...n]);
  return table(['why', 'integer', 'float'], lines);
}

function reasons(cases: ReadonlyMap<string, Case>, rows: readonly Row[], road: string): string {
  const counts = new Map<string, number>();
  for (const r of rows) {
    if (r.road !== road || r.class !== 'refused' || column(cases.get(r.test)!) !== 'node' || byDesign(r)) continue;
    const why = general(r.reason ?? '');
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const lines = [...counts].filter(([, n]) => n > 1).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return table(['refusal', 'tests'], lines);
}

/** The text of CONFORMANCE.md; `sources` is the hash of the sources that the rows are of. */
export function report(cases: readonly Case[], rows: readonly Row[], sources: string): string {
  const known = new Map(cases.map((c) => [c.name, c]));
  return `# Conformance to the ONNX backend tests

Written by \`npm run conformance\` (\`scripts/conformance.ts\`); sources: \`${sources}\`.

The tests are those of onnx/onnx (folders node and simple), opsets 1 to 28; the importer itself takes opsets 7 to 24. Two roads,
counted apart:

- **integer**: the test's graph is converted with ranges from the test's own data, encoded, validated and run on the reference
  backend, with 16 bits wherever sums allow and each weight at its nearest integer. Shapes, axes, indices of scatter and gather,
  pads, exponents, limits, scales and zero points, and the weights of layers and normalisations are fixed to the test's values;
  data inputs never. *exact*: every output integer is the quantized expected value. *bounded*: every element within an error
  bound of its own, which follows from the scales and the float values before any integer runs; where the largest bound exceeds
  2 % of the output's range the test counts as refused. NonMaxSuppression gives rows of a fixed number: those of box −1 are left out.
- **float**: the interpreter that also folds constants. *exact*: equal; *bounded*: within 1e-5 of the output's largest value
  (float16 and bfloat16: one unit in the last place).

A refused test ends in an error with node, op and reason: *by design* where a graph of fixed integer steps cannot hold it,
*not yet* where it could. A failed one would be a wrong answer or a crash.

## Counts

${totals(known, rows)}

## Node tests by kind

${passedBy(cases, rows, (c) => c.kind, 'kind')}

## Node tests by operator

${passedBy(cases, rows, (c) => c.ops[0] ?? '–', 'operator')}

## Node tests refused by design

${designs(known, rows)}

## What is not there yet on the integer road (reasons of two tests or more)

${reasons(known, rows, 'integer')}

## What is not there yet on the float road (reasons of two tests or more)

${reasons(known, rows, 'float')}
`;
}
