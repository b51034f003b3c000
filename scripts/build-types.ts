/**
 * Writes the type declarations of the entry points into dist: tsc's own output, import paths ending in `.js`, and only the
 * files that an entry reaches. With the folder of a package of the workspace, those of that package.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root: string = fileURLToPath(new URL('..', import.meta.url));
const folder: string = process.argv[2] === undefined ? root : join(root, process.argv[2]);
const dist: string = join(folder, 'dist');
/** Generated declarations, which tsc does not write. */
const GENERATED: readonly string[] = folder === root ? ['onnx/proto/onnx.gen.d.ts'] : [];
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
  'ort',
  'pipeline',
  'compile',
];
const entries: readonly string[] =
  folder === root
    ? ENTRIES
    : Object.values(
        (
          JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
            exports: Record<string, { types?: string }>;
          }
        ).exports,
      ).flatMap(({ types }) => (types === undefined ? [] : [basename(types, '.d.ts')]));
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
    { cwd: folder, stdio: 'inherit' },
  );
  for (const gen of GENERATED) {
    mkdirSync(dirname(join(staging, gen)), { recursive: true });
    copyFileSync(join(root, 'src', gen), join(staging, gen));
  }
  const queue = entries.map((e) => join(staging, `${e}.d.ts`));
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
