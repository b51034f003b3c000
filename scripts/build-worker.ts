/**
 * Builds src/backends/wasm/worker.ts, with what it imports, into worker.gen.ts: one text, so that a worker starts from sources,
 * from the package and from any bundle, and nothing is fetched. `--check` compares with the file.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder: string = fileURLToPath(new URL('../src/backends/wasm/', import.meta.url));
const target: string = `${folder}worker.gen.ts`;
const { outputFiles } = await build({
  entryPoints: [`${folder}worker.ts`],
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'neutral',
  target: 'es2022',
  write: false,
});
const text = `/**
 * Built by scripts/build-worker.ts from worker.ts; not to be edited.
 * @module
 */

/** The program of a worker. */
export const WORKER: string =
  ${JSON.stringify(outputFiles[0]!.text.trim())};
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text)
    throw new Error(`${target} is not what worker.ts builds; run scripts/build-worker.ts`);
} else writeFileSync(target, text);
