/**
 * Writes the generated tables of spec/ from the registry, the cost schedule and the error lists. `--check` compares instead.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { COST_CLASSES, SCHEDULE_1 } from '../src/core/cost.ts';
import { GAS_ERRORS, HOST_ERRORS, INPUT_ERRORS, MODEL_ERRORS } from '../src/core/errors.ts';
import type { AttrField } from '../src/ops/define.ts';
import { type AnyOp, OPS } from '../src/ops/index.ts';

function describe(f: AttrField): string {
  switch (f.kind) {
    case 'bool':
      return 'bool';
    case 'enum':
      return `enum ${f.values.join(', ')}${f.default === undefined ? '' : `; default ${f.default}`}`;
    case 'ints':
      return `ints [${f.length ?? `≤ ${f.maxLength}`}], ${f.min}…${f.max}${f.default === undefined ? '' : `; default [${f.default.join(', ')}]`}`;
    case 'words':
      return `words, ${f.min}…${f.max}`;
    case 'output':
      return `output ${f.dtypes.join(', ')}`;
    case 'stage':
      return `stage ${f.dtypes.join(', ')}${f.optional ? ', or raw' : ''}${f.perChannel ? '' : ', m of length 1'}`;
    default:
      return `${f.kind}, ${f.min}…${f.max}${'default' in f && f.default !== undefined ? `; default ${f.default}` : ''}`;
  }
}

function operands(def: AnyOp): string {
  return def.operands
    .map((o) => {
      const marks = [
        o.constant ? 'constant' : '',
        o.symmetric ? 'symmetric' : '',
        o.optional ? 'optional' : '',
        o.variadic ? 'one or more' : '',
      ].filter((m) => m !== '');
      return `${o.name}: ${o.dtypes.join('/')}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
    })
    .join('; ');
}

function opsTable(): string {
  const rows = Object.entries(OPS)
    .sort((p, q) => p[1].code - q[1].code)
    .map(([name, def]) => {
      const attrs = Object.entries(def.attrs)
        .sort((p, q) => p[1].tag - q[1].tag)
        .map(([n, f]) => `${f.tag} \`${n}\`: ${describe(f)}`);
      return `| ${def.code} | \`${name}\` | ${operands(def)} | ${attrs.join('<br>') || '–'} |`;
    });
  return ['| code | op | operands | attributes (tag, name, kind, range) |', '|---|---|---|---|', ...rows].join('\n');
}

function costTable(): string {
  const rows = COST_CLASSES.map((c) => `| \`${c}\` | ${SCHEDULE_1.weights[c]} |`);
  return [
    `Base of schedule 1: ${SCHEDULE_1.base}.`,
    '',
    '| class | weight in schedule 1 (quarters of gas) |',
    '|---|---|',
    ...rows,
  ].join('\n');
}

function errorRows(): string {
  const families = { ModelError: MODEL_ERRORS, InputError: INPUT_ERRORS, OutOfGas: GAS_ERRORS, HostError: HOST_ERRORS };
  return Object.entries(families)
    .map(
      ([f, codes]) =>
        `| \`${f}\` | ${Object.keys(codes)
          .map((c) => `\`${c}\``)
          .join(', ')} |`,
    )
    .join('\n');
}

const SECTIONS: readonly (readonly [file: string, marker: string, text: string])[] = [
  ['spec/10-ops.md', 'ops', opsTable()],
  ['spec/10-ops.md', 'cost', costTable()],
  ['spec/20-format.md', 'errors', errorRows()],
];

for (const [file, marker, text] of SECTIONS) {
  const old = readFileSync(file, 'utf8');
  const [open, close] = [`<!-- gen:${marker} -->`, `<!-- /gen:${marker} -->`];
  const [from, to] = [old.indexOf(open), old.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`${file} has no section ${marker}`);
  const fresh = `${old.slice(0, from + open.length)}\n${text}\n${old.slice(to)}`;
  if (fresh === old) continue;
  if (process.argv.includes('--check')) throw new Error(`${file}: section ${marker} is stale: run npm run gen`);
  writeFileSync(file, fresh);
}
