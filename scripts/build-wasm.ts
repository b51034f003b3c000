/**
 * Builds kernels/wasm into src/backends/wasm/kernels.gen.ts. `--check` builds twice in memory and compares with the file.
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/backends/wasm/kernels.gen.ts`;

const OPTIONS = [
  'kernels/wasm/index.ts',
  '--outFile',
  'kernels.wasm',
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '1',
  '--converge',
  '--runtime',
  'stub',
  '--importMemory',
  '--noExportMemory',
  '--noAssert',
  '--enable',
  'simd',
  '--use',
  'abort=',
];

/** The module's bytes. */
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
  const sha = createHash('sha256').update(binary).digest('hex');
  return `/**
 * Built by scripts/build-wasm.ts from kernels/wasm; not to be edited.
 * @module
 */

/** SHA-256 of the module. */
export const SHA256 = '${sha}';
/** Length of the module in bytes. */
export const LENGTH = ${binary.length};
/** The module in hexadecimal: bytes stay aligned, which gzip packs a fifth smaller than base64. */
export const HEX =
  '${Buffer.from(binary).toString('hex')}';
`;
}

const first = await compile();
const text = render(first);
if (process.argv.includes('--check')) {
  if (render(await compile()) !== text) throw new Error('two builds differ');
  if (readFileSync(target, 'utf8') !== text)
    throw new Error(`${target} is not what kernels/wasm builds; run scripts/build-wasm.ts`);
} else {
  writeFileSync(target, text);
  console.log(`${target}: ${first.length} bytes`);
}
