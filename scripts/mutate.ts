/**
 * Mutation testing of core, ops, graph and the wasm kernels. Each mutant is written into a copy of the tree and the suites
 * that hold the bits run on it; one that passes them all survives.
 *
 * npm run mutate -- [--sample N] [--seed S] [--area core,ops,graph,kernels] [--file PART] [--jobs N] [--json FILE]
 * Without --sample all mutants run. Survivors that test/mutants.json names as equivalent, with a reason, are counted apart.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readArgs } from './args.ts';
import { type Mutant, mutantsOf } from './mutate/rules.ts';

const AREAS: Readonly<Record<string, string>> = {
  core: 'src/core',
  ops: 'src/ops',
  graph: 'src/graph',
  kernels: 'kernels/wasm',
};
/** Words for people, the registry's list of names, and entry points without arithmetic. */
const SKIPPED = [
  'src/core/errors.ts',
  'src/core/options.ts',
  'src/ops/all.ts',
  'src/ops/index.ts',
  'src/graph/ir.ts',
  'kernels/wasm/index.ts',
  'kernels/wasm/more.ts',
];
/** What scripts/build-wasm.ts writes, restored after each mutant of a kernel. */
const BUILT = ['src/backends/wasm/kernels.gen.ts', 'src/backends/wasm/more/kernels.gen.ts'];
/** What a mutant meets, the fast and decisive first; one that a stage kills does not see the next. The first stage is a script. */
const QUICK = 'scripts/mutate-quick.ts';
const STAGES: readonly (readonly string[])[] = [
  [QUICK],
  ['test/numerics.test.ts', 'test/core', 'test/graph', 'test/ops', 'test/invalid.test.ts', 'test/format'],
  ['test/runtime', 'test/backends', 'test/random.test.ts'],
];
/** A mutant on which a stage runs this much longer than on the tree itself is killed: the suites see a hang. */
const HANG_FACTOR = 10;
/** Never less than this, since other work may slow the machine down. */
const HANG_MS = 120_000;

const { values } = readArgs({
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    area: { type: 'string' },
    file: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const root = resolve(import.meta.dirname, '..');

interface Verdict extends Mutant {
  readonly killed: boolean;
  readonly equivalent?: string | undefined;
  readonly seconds: number;
}

/** The identity of a mutant that outlives edits elsewhere: file, rule, the line's text and its count there. */
function key(m: Mutant, source: string): string {
  const line = source.split('\n')[m.line - 1]!.trim();
  const column = m.start - source.lastIndexOf('\n', m.start - 1) - 1;
  return `${m.file} | ${m.rule} | ${line} | ${column}`;
}

function allMutants(): Mutant[] {
  const areas = values.area === undefined ? Object.values(AREAS) : values.area.split(',').map((a) => AREAS[a]!);
  return areas.flatMap((dir) =>
    readdirSync(join(root, dir), { encoding: 'utf8', recursive: true })
      .filter((f) => f.endsWith('.ts') && !SKIPPED.includes(`${dir}/${f}`))
      .flatMap((f) => {
        const file = `${dir}/${f}`;
        return values.file !== undefined && !file.includes(values.file)
          ? []
          : mutantsOf(file, readFileSync(join(root, file), 'utf8'));
      }),
  );
}

/**
 * The `count` mutants whose identities have the least hashes under `seed`: an edit changes the sample only where it changes a
 * mutant, and a larger sample holds the smaller.
 */
function sampled(list: Mutant[], count: number, seed: string): Mutant[] {
  const sources = new Map<string, string>();
  const source = (file: string): string => {
    if (!sources.has(file)) sources.set(file, readFileSync(join(root, file), 'utf8'));
    return sources.get(file)!;
  };
  const rank = (m: Mutant): string =>
    createHash('sha256')
      .update(`${seed} | ${key(m, source(m.file))} | ${m.text}`)
      .digest('hex');
  return list
    .map((m) => [rank(m), m] as const)
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .slice(0, count)
    .map(([, m]) => m);
}

function makeTree(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mutate-'));
  for (const part of [
    'src',
    'test',
    'kernels',
    'scripts',
    'examples',
    'spec',
    'bench',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ]) {
    const filter = (path: string): boolean => !path.endsWith('node_modules'); // bench has its own, half a gigabyte
    if (existsSync(join(root, part))) cpSync(join(root, part), join(dir, part), { recursive: true, filter });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

/** Exit code of a command in a tree; a run past the limit counts as failed. */
function command(dir: string, args: readonly string[], limit: number): Promise<number> {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, {
      cwd: dir,
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, SAMEBIT_MUTANT: '1', CI: '1' },
    });
    const timer = setTimeout(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {}
    }, limit);
    child.on('exit', (code) => {
      clearTimeout(timer);
      done(code ?? 1);
    });
  });
}

/** Runs a stage; its test timeouts are those of a hang, so that a slow machine kills no mutant. */
async function passes(dir: string, stage: number, limit: number): Promise<boolean> {
  const suites = STAGES[stage]!.filter((s) => existsSync(join(dir, s)));
  if (suites[0] === QUICK) return (await command(dir, ['node_modules/tsx/dist/cli.mjs', QUICK], limit)) === 0;
  const options = ['--project', 'sources', '--no-isolate', '--maxWorkers', '1', '--bail', '1', '--reporter', 'dot'];
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...options, '--testTimeout', String(limit), ...suites];
  return (await command(dir, args, limit)) === 0;
}

/** How long each stage may run on a mutant, from a run on the tree as it is: it must pass, or every mutant would seem killed. */
async function limits(dir: string): Promise<number[]> {
  const out: number[] = [];
  for (let i = 0; i < STAGES.length; i++) {
    const start = Date.now();
    if (!(await passes(dir, i, 600_000))) throw new Error(`stage ${i} fails without a mutant`);
    out.push(Math.max(HANG_MS, HANG_FACTOR * (Date.now() - start)));
  }
  return out;
}

async function test(dir: string, m: Mutant, limit: readonly number[]): Promise<Verdict> {
  const path = join(dir, m.file);
  const source = readFileSync(path, 'utf8');
  const start = Date.now();
  const verdict = (killed: boolean): Verdict => ({
    ...m,
    killed,
    seconds: Math.round((Date.now() - start) / 100) / 10,
  });
  try {
    writeFileSync(path, source.slice(0, m.start) + m.text + source.slice(m.end));
    if (m.file.startsWith('kernels/')) {
      const built = await command(dir, ['node_modules/tsx/dist/cli.mjs', 'scripts/build-wasm.ts'], HANG_MS);
      if (built !== 0) return verdict(true); // does not compile
    }
    for (let i = 0; i < STAGES.length; i++) if (!(await passes(dir, i, limit[i]!))) return verdict(true);
    return verdict(false);
  } finally {
    writeFileSync(path, source);
  }
}

async function main(): Promise<void> {
  const every = allMutants();
  const list = values.sample === undefined ? every : sampled(every, Number(values.sample), values.seed);
  const known: Record<string, string> = existsSync(join(root, 'test/mutants.json'))
    ? JSON.parse(readFileSync(join(root, 'test/mutants.json'), 'utf8'))
    : {};
  console.log(`${list.length} of ${every.length} mutants, seed ${values.seed}`);
  const queue = [...list];
  const verdicts: Verdict[] = [];
  let measured: Promise<number[]> | undefined;
  const worker = async (): Promise<void> => {
    const dir = makeTree();
    const built = BUILT.map((path) => [join(dir, path), readFileSync(join(dir, path))] as const);
    try {
      const limit = await (measured ??= limits(dir));
      for (let m = queue.shift(); m !== undefined; m = queue.shift()) {
        const v = await test(dir, m, limit);
        if (m.file.startsWith('kernels/')) for (const [path, bytes] of built) writeFileSync(path, bytes);
        const name = key(m, readFileSync(join(dir, m.file), 'utf8'));
        verdicts.push({ ...v, equivalent: known[name] });
        if (!v.killed)
          console.log(`survived${known[name] === undefined ? '' : ' (equivalent)'}: ${name} → ${m.text.slice(0, 60)}`);
        if (verdicts.length % 25 === 0)
          console.error(`${verdicts.length}/${list.length}, ${verdicts.filter((x) => !x.killed).length} survivors`);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  const killed = verdicts.filter((v) => v.killed).length;
  const equivalent = verdicts.filter((v) => !v.killed && v.equivalent !== undefined).length;
  const score = (100 * killed) / (verdicts.length - equivalent);
  console.log(
    `${verdicts.length} mutants: ${killed} killed, ${equivalent} equivalent, ${verdicts.length - killed - equivalent} survived: ${score.toFixed(1)} %`,
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(verdicts, null, 1)}\n`);
  // 5 % may survive; a small sample is given two standard errors, so that it fails for a reason and not by chance.
  const n = verdicts.length;
  const slack = n < 100 ? 2 * Math.sqrt(n * 0.05 * 0.95) : 0;
  process.exitCode = n - killed - equivalent > 0.05 * n + slack ? 1 : 0;
}

await main();
