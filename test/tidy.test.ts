/** The house rules that a parser can check (CONTRIBUTING.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { LAYERS } from '../scripts/layers.ts';

const ROOT = join(import.meta.dirname, '..');
const TEXT = new Set(['.ts', '.js', '.json', '.md', '.py', '.proto', '.sh', '']);

/** Paths of the files below a folder, from the root, without generated ones. */
function files(folder: string, extension = '.ts'): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter(
      (e) =>
        e.isFile() &&
        (extension === '*' ? TEXT.has(extname(e.name)) : e.name.endsWith(extension)) &&
        !e.name.includes('.gen.'),
    )
    .map((e) => relative(ROOT, join(e.parentPath, e.name)))
    .filter((p) => !/(^|\/)(__pycache__|node_modules|golden|dist)\/|^site\/(public|test-results)\//.test(p))
    .sort();
}

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isSyntax(v: unknown): v is Syntax {
  return typeof v === 'object' && v !== null && typeof (v as Syntax).type === 'string';
}

/** Calls `visit` for every node below one, children after parents. */
function walk(node: unknown, visit: (n: Syntax) => void): void {
  if (Array.isArray(node)) for (const n of node) walk(n, visit);
  else if (isSyntax(node)) {
    visit(node);
    for (const [key, value] of Object.entries(node)) if (key !== 'loc' && typeof value === 'object') walk(value, visit);
  }
}

const parsed = new Map<
  string,
  {
    readonly source: string;
    readonly program: Syntax;
    readonly comments: readonly { readonly type: string; readonly value: string; readonly end: number }[];
  }
>();

function parse(path: string): typeof parsed extends Map<string, infer P> ? P : never {
  let p = parsed.get(path);
  if (p === undefined) {
    const source = readFileSync(join(ROOT, path), 'utf8');
    const { program, comments, errors } = parseSync(path, source);
    expect(errors, path).toEqual([]);
    p = { source, program: program as unknown as Syntax, comments };
    parsed.set(path, p);
  }
  return p;
}

function line(path: string, node: Syntax): string {
  const { source } = parse(path);
  return `${path}:${source.slice(0, node.start).split('\n').length}: ${source.slice(node.start, node.end).split('\n')[0]}`;
}

const SOURCES = files('src');
/** Sources behind the trust boundary: integers only. Entry points of the converter hold re-exports only. */
const EXACT = SOURCES.filter((p) => !/^src\/(quant|onnx|ort|pipeline|market|cli)\//.test(p));

describe('integers only', () => {
  /** Files whose doubles are exact, as their comments derive, and BigInt division. */
  const DIVIDE = ['src/core/int.ts', 'src/core/exp2.ts', 'src/ops/norm.ts'];
  /** Files that keep integers below 2^53 in a Float64Array. */
  const WIDE = ['src/ops/linear.ts', 'src/ops/evaluate.ts', 'src/consensus/trace.ts'];
  /** Products of integers in floats that hold them exactly, as src/backends/gpujs/gemm.ts derives. */
  const FLOATS = /^src\/backends\/gpujs\//;
  /** The file that chooses among backends by their speed, never among results. */
  const CLOCK = 'src/runtime/auto.ts';
  const MATH = new Set(['abs', 'ceil', 'clz32', 'floor', 'imul', 'max', 'min', 'sign', 'trunc']);
  const GLOBALS = new Set(['Date', 'Intl', 'Float32Array', 'Float64Array', 'parseFloat', 'performance', 'crypto']);
  const METHODS = new Set([
    'localeCompare',
    'toLocaleString',
    'toLocaleLowerCase',
    'toLocaleUpperCase',
    'getFloat32',
    'setFloat32',
    'getFloat64',
    'setFloat64',
    'parseFloat',
    'toFixed',
    'toPrecision',
  ]);

  function offence(path: string, n: Syntax): boolean {
    const exempt = DIVIDE.includes(path);
    if (
      (n.type === 'BinaryExpression' && n.operator === '/') ||
      (n.type === 'AssignmentExpression' && n.operator === '/=')
    )
      return !exempt;
    if (n.type === 'Literal' && typeof n.value === 'number')
      return !Number.isSafeInteger(n.value) && !(n.value === 0.5 && path === 'src/core/tensor.ts');
    if (n.type === 'MemberExpression' && isSyntax(n.property) && n.computed === false) {
      const name = String(n.property.name);
      if (isSyntax(n.object) && n.object.name === 'Math') return !MATH.has(name);
      return METHODS.has(name);
    }
    if (n.name === 'Float32Array' && FLOATS.test(path)) return false;
    return (
      n.type === 'Identifier' &&
      GLOBALS.has(String(n.name)) &&
      !(n.name === 'Float64Array' && WIDE.includes(path)) &&
      !(n.name === 'performance' && path === CLOCK)
    );
  }

  it.each(EXACT)('%s', (path) => {
    const offences: string[] = [];
    walk(parse(path).program, (n) => {
      if (offence(path, n)) offences.push(line(path, n));
    });
    expect(offences).toEqual([]);
  });
});

describe('imports point down', () => {
  it.each(SOURCES.filter((p) => p.split('/').length > 2))('%s', (path) => {
    const layer = path.split('/')[1]!;
    const wrong: string[] = [];
    walk(parse(path).program, (n) => {
      if (
        !['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration'].includes(n.type) ||
        !isSyntax(n.source)
      )
        return;
      const from = String(n.source.value);
      if (!from.startsWith('.')) {
        if (!LAYERS[layer]!.packages?.test(from)) wrong.push(from);
        return;
      }
      const target = relative(join(ROOT, 'src'), join(ROOT, dirname(path), from));
      const types = n.importKind === 'type' || n.exportKind === 'type';
      const legal = [layer, ...LAYERS[layer]!.below].some((l) => target === l || target.startsWith(`${l}/`));
      if (
        !legal &&
        !(types && layer !== 'core' && layer !== 'ops' && !/^(quant|onnx|cli)\//.test(target)) &&
        !(types && target === 'backends/backend.ts')
      )
        wrong.push(from);
      if (!/\.(ts|js)$/.test(from)) wrong.push(`${from} has no extension`);
    });
    expect(wrong).toEqual([]);
  });
});

describe('exported symbols have doc comments', () => {
  it.each(SOURCES)('%s', (path) => {
    const { program, comments, source } = parse(path);
    const bare: string[] = [];
    for (const n of program.body as readonly Syntax[]) {
      if (n.type !== 'ExportNamedDeclaration' || !isSyntax(n.declaration)) continue;
      const documented = comments.some(
        (c) =>
          c.type === 'Block' &&
          c.value.startsWith('*') &&
          /^\s*(\/\*[^*]*\*\/\s*)?$/.test(source.slice(c.end, n.start)),
      );
      const overload = n.declaration.type === 'TSDeclareFunction' || bare.length > 0;
      if (!documented && !overload) bare.push(line(path, n));
    }
    expect(bare).toEqual([]);
  });
});

it('files stay under 400 lines', () => {
  const long = ['src', 'test', 'scripts', 'bench', 'kernels', 'examples', 'hosts', 'packages', 'site']
    .flatMap((f) => files(f))
    .filter((p) => readFileSync(join(ROOT, p), 'utf8').split('\n').length > 401);
  expect(long).toEqual([]);
});

describe('nothing of one machine', () => {
  const top = readdirSync(ROOT, { withFileTypes: true })
    .filter((e) => e.isFile() && TEXT.has(extname(e.name)))
    .map((e) => e.name);
  const all = [
    ...[
      'src',
      'test',
      'scripts',
      'bench',
      'kernels',
      'examples',
      'hosts',
      'consumers',
      'packages',
      'site',
      'spec',
      '.ci',
    ].flatMap((f) => files(f, '*')),
    ...top,
  ];

  it('no absolute path, no registry', () => {
    const machine = new RegExp(
      [
        '/(work|home|root|Users|mnt)/[a-z]',
        String.raw`[A-Z]:\\\\[A-Za-z]`,
        String.raw`https?://[^\s"']*(registry|artifactory|proxy|mirror)[^\s"']*`,
      ].join('|'),
    );
    const found = all.flatMap((p) =>
      readFileSync(join(ROOT, p), 'utf8')
        .split('\n')
        .flatMap((text, i) =>
          machine.test(text) && p !== 'test/tidy.test.ts' ? [`${p}:${i + 1}: ${text.trim().slice(0, 100)}`] : [],
        ),
    );
    expect(found).toEqual([]);
  });

  it.each(['package-lock.json', 'bench/package-lock.json', 'docs/package-lock.json', 'site/package-lock.json'])(
    '%s pins hashes, not addresses',
    (path) => {
      const lock = readFileSync(join(ROOT, path), 'utf8');
      const { packages } = JSON.parse(lock) as {
        packages: Record<
          string,
          { integrity?: string; optional?: boolean; cpu?: string[]; resolved?: string; link?: boolean }
        >;
      };
      const linked = Object.values(packages).filter((p) => p.resolved !== undefined);
      expect(linked.filter((p) => !p.link || !/^(packages\/\w+)?$/.test(p.resolved!))).toEqual([]);
      const unhashed = Object.entries(packages).filter(
        ([name, p]) => /(^|\/)node_modules\//.test(name) && !p.link && p.integrity === undefined,
      );
      // Packages of other platforms that the registry at hand does not serve (scripts/check-lockfile.ts).
      expect(unhashed.filter(([, p]) => !p.optional || p.cpu === undefined)).toEqual([]);
    },
  );
});

it('dependencies are pinned exactly', () => {
  type Package = Record<'dependencies' | 'devDependencies', Record<string, string>>;
  const [own, bench, docs, site, serve] = [
    'package.json',
    'bench/package.json',
    'docs/package.json',
    'site/package.json',
    'packages/serve/package.json',
  ].map((path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Package) as [
    Package,
    Package,
    Package,
    Package,
    Package,
  ];
  expect(Object.keys(own.dependencies)).toEqual(['@noble/hashes', 'protobufjs']);
  const { samebit, ...development } = serve.devDependencies;
  expect(samebit).toBe('file:../..');
  for (const version of Object.values({
    ...own.dependencies,
    ...own.devDependencies,
    ...bench.dependencies,
    ...docs.devDependencies,
    ...site.dependencies,
    ...site.devDependencies,
    ...serve.dependencies,
    ...development,
  }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
