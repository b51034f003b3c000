/**
 * Writes the type declarations of the entry points into dist: tsc's own output, import paths ending in `.js`, and only the
 * files that an entry reaches.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root: string = fileURLToPath(new URL('..', import.meta.url));
const dist: string = join(root, 'dist');
const ENTRIES: readonly string[] = [
  'index',
  'reference',
  'wasm',
  'webgpu',
  'webgl',
  'gpujs',
  'consensus',
  'evm',
  'market',
  'conformance',
  'format',
  'quant',
  'onnx',
  'compile',
];
const IMPORT = /(from\s+|import\(|import\s+)(['"])(\.{1,2}\/[^'"]+?)(?:\.ts|\.js)\2/g;

/** Copies one declaration file with its imports rewritten, and gives the declaration files it names. */
function emit(source: string, target: string): string[] {
  const text = readFileSync(source, 'utf8');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    target,
    text.replace(IMPORT, (_, head: string, quote: string, path: string) => `${head}${quote}${path}.js${quote}`),
  );
  return [...text.matchAll(IMPORT)].map((m) => join(dirname(source), `${m[3]!}.d.ts`));
}

const staging: string = mkdtempSync(join(tmpdir(), 'samebit-types-'));
try {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', staging],
    { cwd: root, stdio: 'inherit' },
  );
  for (const gen of ['onnx/proto/onnx.gen.d.ts']) {
    mkdirSync(dirname(join(staging, gen)), { recursive: true });
    copyFileSync(join(root, 'src', gen), join(staging, gen));
  }
  const queue = ENTRIES.map((e) => join(staging, `${e}.d.ts`));
  const done = new Set<string>();
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (done.has(path)) continue;
    if (!existsSync(path)) throw new Error(`no declaration file ${relative(staging, path)}`);
    done.add(path);
    queue.push(...emit(path, join(dist, relative(staging, path))));
  }
} finally {
  rmSync(staging, { recursive: true, force: true });
}
