/**
 * What an application ships of each entry point: bundled by esbuild from dist, minified, without the packages that it may have anyway.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

/** Bytes of some files together, and gzipped. */
export interface Bytes {
  readonly raw: number;
  readonly gzipped: number;
}

/** An entry point: what loads with it, and what may load later on demand. */
export interface Size {
  readonly entry: string;
  readonly loaded: Bytes;
  readonly later: Bytes;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** Entry points that are modules, as they are imported: `samebit`, `samebit/wasm` … */
export const ENTRIES: readonly string[] = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [`${manifest.name}${path.slice(1)}`],
);

/** The entry's output and all that it imports statically. */
function loaded(meta: Metafile): Set<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const i of meta.outputs[path]?.imports ?? []) if (i.kind === 'import-statement' && !i.external) visit(i.path);
  };
  visit(Object.keys(meta.outputs).find((p) => basename(p) === 'stdin.js')!);
  return seen;
}

function bytesOf(parts: readonly Uint8Array[]): Bytes {
  const all = Buffer.concat(parts);
  return { raw: all.length, gzipped: all.length === 0 ? 0 : gzipSync(all, { level: 9 }).length };
}

/** The size of an entry point with all that it exports. */
export async function measure(entry: string): Promise<Size> {
  if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('dist is not there: npm run build');
  const { metafile, outputFiles } = await build({
    stdin: { contents: `export * from '${entry}';`, resolveDir: ROOT, loader: 'js' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    external: ['node:*', ...Object.keys(manifest.peerDependencies).flatMap((p) => [p, `${p}/*`])],
    target: 'es2022',
    outdir: 'out',
    write: false,
    metafile: true,
    tsconfigRaw: '{}', // the packed files, not the sources that this repository maps names to
    logLevel: 'silent',
  });
  const first = new Set([...loaded(metafile)].map((p) => basename(p)));
  const of = (now: boolean): Uint8Array[] =>
    outputFiles.filter((f) => first.has(basename(f.path)) === now).map((f) => f.contents);
  return { entry, loaded: bytesOf(of(true)), later: bytesOf(of(false)) };
}
