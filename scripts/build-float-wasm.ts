/**
 * Builds kernels/float into src/quant/kernels/float.gen.ts. `--check` builds twice in memory and compares with the file.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/quant/kernels/float.gen.ts`;
const OPTIONS = [
  ...['kernels/float/index.ts', '--outFile', 'float.wasm', '--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
  ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert', '--enable', 'simd', '--use', 'abort='],
];

async function compile(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await main([...OPTIONS, '--baseDir', root], {
    writeFile(name, contents) {
      if (name.endsWith('.wasm')) binary = contents as Uint8Array;
    },
  });
  if (error !== null || binary === undefined) throw new Error(stderr.toString());
  return binary;
}

function render(binary: Uint8Array): string {
  return `/**
 * Built by scripts/build-float-wasm.ts from kernels/float; not to be edited.
 * @module
 */

/** The module in base64. */
export const BASE64 =
  '${Buffer.from(binary).toString('base64')}';
`;
}

const first = await compile();
const text = render(first);
if (process.argv.includes('--check')) {
  if (render(await compile()) !== text) throw new Error('two builds differ');
  if (readFileSync(target, 'utf8') !== text)
    throw new Error(`${target} is not what kernels/float builds; run scripts/build-float-wasm.ts`);
} else {
  writeFileSync(target, text);
  console.log(`${target}: ${first.length} bytes`);
}
