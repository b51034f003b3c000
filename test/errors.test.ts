/** Every code of an error has a section in docs/errors.md with the hint of the source, and an example that raises it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { ARRAY_ERRORS, FILE_ERRORS } from '../src/cli/array-errors.ts';
import { SYSTEM_ERRORS } from '../src/cli/errors.ts';
import { GAS_ERRORS, HOST_ERRORS, INPUT_ERRORS, MODEL_ERRORS } from '../src/core/errors.ts';
import { MARKET_ERRORS } from '../src/market/errors.ts';
import { IMPORT_ERRORS } from '../src/onnx/errors.ts';
import { ORT_ERRORS } from '../src/ort/errors.ts';
import { folder, ROOT } from './cli/samebit.ts';
import { type Block, blocksOf, furnish, runPage, type Step } from './support/doc-blocks.ts';

const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const blocks = blocksOf(text);

/** Codes of an error whose class takes any text, from the places that make one. */
function codesIn(area: string, name: string): string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const {
      type,
      callee,
      arguments: args,
    } = node as { type?: string; callee?: { name?: string }; arguments?: unknown[] };
    if (type === 'NewExpression' && callee?.name === name)
      for (const [, code] of JSON.stringify(args![0]).matchAll(/"type":"Literal"[^}]*?"value":"(\w+)"/g))
        found.add(code!);
    Object.values(node).forEach(visit);
  };
  for (const entry of readdirSync(join(ROOT, area), { withFileTypes: true, recursive: true }))
    if (entry.name.endsWith('.ts')) {
      const path = join(entry.parentPath, entry.name);
      visit(parseSync(path, readFileSync(path, 'utf8')).program);
    }
  return [...found].sort();
}

/** Codes with the next step that the library gives. */
const SOURCE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ModelError: MODEL_ERRORS,
  InputError: { ...INPUT_ERRORS, NotFinite: ARRAY_ERRORS.NotFinite, BadLabel: ARRAY_ERRORS.BadLabel },
  OutOfGas: GAS_ERRORS,
  HostError: HOST_ERRORS,
  ImportError: IMPORT_ERRORS,
  MarketError: MARKET_ERRORS,
  FileError: FILE_ERRORS,
  OrtError: ORT_ERRORS,
  CompileError: Object.fromEntries(codesIn('src/compile', 'CompileError').map((c) => [c, ''])),
  ChainError: { Refused: '' },
};
const codes = Object.entries(SOURCE).flatMap(([family, table]) =>
  Object.keys(table).map((code) => `${family} ${code}`),
);

/** The section of a code, to the next heading. */
function section(code: string): string {
  return text.split(/^(?=#{2,3} )/m).find((s) => s.startsWith(`### ${code}\n`)) ?? '';
}

describe('docs/errors.md', () => {
  let steps: Step[] = [];
  beforeAll(() => {
    const work = folder();
    furnish(work);
    steps = runPage('errors', blocks, work);
  });

  it('has a section for each code and for no other', () => {
    expect([...text.matchAll(/^### (.*)$/gm)].map((m) => m[1]).sort()).toEqual([...codes].sort());
  });

  it.each(codes)('%s is raised, and its next step is that of the library', (code) => {
    const [family, name] = code.split(' ') as [string, string];
    expect(section(code)).toContain(`Fix: ${SOURCE[family]![name]}`);
    const own = blocks.filter((b: Block) => b.heading === `### ${code}` && b.role !== 'setup');
    expect(own).toHaveLength(1);
    const { notRun } = own[0]!;
    if (notRun !== undefined) {
      const [, path] = /^(test\/\S+\.ts) raises it$/.exec(notRun)!;
      expect(readFileSync(join(ROOT, path!), 'utf8')).toContain(`'${family === 'ChainError' ? family : name}'`);
      return;
    }
    const { outcome } = steps.find((s) => s.block === own[0])!;
    const seen = outcome.error?.code ? `${outcome.error.family ?? family} ${outcome.error.code}` : outcome.printed;
    expect(`${seen}\n${outcome.error?.text}`.replace(/:[\s\S]*|\n[\s\S]*/, '')).toBe(code);
  });

  it('lists every code of misuse', () => {
    const commander = [...codesOfCommander()];
    const known = [...codesIn('src/cli', 'UsageError'), ...Object.keys(SYSTEM_ERRORS), ...commander];
    const table = text.slice(text.indexOf('\n## UsageError')).match(/^\| `.*?\|/gm)!;
    expect(table.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map((m) => m[1]!)).sort()).toEqual(
      [...new Set(known)].sort(),
    );
  });
});

/** Codes of misuse that commander throws. */
function codesOfCommander(): Set<string> {
  const source = readFileSync(join(ROOT, 'node_modules/commander/lib/command.js'), 'utf8');
  const error = readFileSync(join(ROOT, 'node_modules/commander/lib/error.js'), 'utf8');
  const all = [...`${source}${error}`.matchAll(/'commander\.(\w+)'/g)].map((m) => m[1]!);
  return new Set(all.filter((c) => !UNUSED.includes(c)));
}
/** Help and version are no misuse; no command has options that exclude each other. */
const UNUSED = ['help', 'helpDisplayed', 'version', 'conflictingOption', 'executeSubCommandAsync', 'error'];
