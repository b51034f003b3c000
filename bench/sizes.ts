/**
 * Bytes that an application ships to run a model with each package: the files that it loads at run time, minified where the
 * package has them so.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bytes of the files, and of each gzipped. */
export interface Size {
  readonly bytes: number;
  readonly gzipped: number;
}

const MODULES = join(import.meta.dirname, 'node_modules');
const TF = '@tensorflow/tfjs-';
const BINARIES = `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}`;

/** Files by subject, from node_modules. ONNX Runtime's package for Node has its JavaScript as it is. */
const FILES: Readonly<Record<string, () => readonly string[]>> = {
  'onnxruntime-web': () =>
    ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].map(
      (f) => `onnxruntime-web/dist/${f}`,
    ),
  'onnxruntime-node': () =>
    [BINARIES, 'onnxruntime-node/dist', 'onnxruntime-common/dist/cjs'].flatMap((folder) =>
      readdirSync(join(MODULES, folder))
        .filter((f) => !f.endsWith('.map'))
        .map((f) => `${folder}/${f}`),
    ),
  'tfjs-wasm': () => [
    `${TF}core/dist/tf-core.min.js`,
    `${TF}backend-wasm/dist/tf-backend-wasm.min.js`,
    `${TF}backend-wasm/dist/tfjs-backend-wasm-simd.wasm`,
  ],
};

/** Loading, running and the wasm backend, as a bundler leaves them: the entry with what it imports statically. */
async function ownBundle(): Promise<Uint8Array[]> {
  const contents = `export { createSession, loadModel } from './src/index.ts'; export { wasm } from './src/wasm.ts';`;
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
    ...{ bundle: true, minify: true, splitting: true, format: 'esm', platform: 'browser', target: 'es2022' },
    ...{ outdir: 'out', write: false, metafile: true, logLevel: 'error' },
  });
  const loaded = new Set(Object.keys(metafile.outputs).filter((path) => path.endsWith('stdin.js')));
  for (const path of loaded) // grows while it is walked
    for (const i of metafile.outputs[path]!.imports) if (i.kind === 'import-statement') loaded.add(i.path);
  return outputFiles.filter((f) => [...loaded].some((path) => f.path.endsWith(path))).map((f) => f.contents);
}

function sizeOf(files: readonly Uint8Array[]): Size {
  const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);
  return {
    bytes: sum(files.map((f) => f.length)),
    gzipped: sum(files.map((f) => gzipSync(f, { level: 9 }).length)),
  };
}

/** Sizes by the subject's first word. */
export async function sizesOf(): Promise<ReadonlyMap<string, Size>> {
  const peers = Object.entries(FILES).map(([name, files]): [string, Size] => [
    name,
    sizeOf(files().map((f) => readFileSync(join(MODULES, f)))),
  ]);
  return new Map([['samebit', sizeOf(await ownBundle())], ...peers]);
}
