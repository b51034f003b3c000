/**
 * Builds kernels/wasm into src/backends/wasm/*.gen.ts: the module that every model takes, and that of further ops; and those of compiled models
 * into src/compile/*.gen.ts. `--check` builds twice in memory and compares with the files.
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Entry file of each module, the file that its bytes go to, and the instructions that it may use. */
const MODULES = [
  ['wasm/index', 'backends/wasm/kernels', ['--enable', 'simd']],
  ['wasm/more', 'backends/wasm/more/kernels', ['--enable', 'simd']],
  ['wasm/compiled', 'compile/bytes', ['--enable', 'simd', '--use', 'ONLY_I8=1']],
  ['mvp/index', 'compile/mvp', ['sign-extension', 'bulk-memory', 'nontrapping-f2i'].flatMap((f) => ['--disable', f])],
] as const;

const OPTIONS = [
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
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65535',
  '--noAssert',
  '--use',
  'abort=',
];

/** The bytes of a module. */
async function compile(entry: string, features: readonly string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await main([`kernels/${entry}.ts`, ...OPTIONS, ...features, '--baseDir', root], {
    writeFile(name, contents) {
      if (name.endsWith('.wasm')) binary = contents as Uint8Array;
    },
  });
  if (error !== null || binary === undefined) throw new Error(stderr.toString());
  return binary;
}

/**
 * Bytes as printable text, most of them one character, so that they stay aligned and gzip packs them almost as well as the
 * bytes themselves. v = byte + 3 mod 256; v below 86 is one character from ( to ~ without the backslash, greater ones lose 86 behind !
 * or 172 behind ".
 */
function textOf(binary: Uint8Array): string {
  const one = (v: number): string => String.fromCharCode(v < 52 ? 40 + v : 41 + v);
  return Array.from(binary, (byte) => {
    const v = (byte + 3) & 255;
    return v < 86 ? one(v) : v < 172 ? `!${one(v - 86)}` : `"${one(v - 172)}`;
  }).join('');
}

function render(binary: Uint8Array, entry: string): string {
  const sha = createHash('sha256').update(binary).digest('hex');
  return `/**
 * Built by scripts/build-wasm.ts from kernels/${entry.split('/')[0]}; not to be edited.
 * @module
 */

/** SHA-256 of the module. */
export const SHA256 = '${sha}';
/** Length of the module in bytes. */
export const LENGTH = ${binary.length};
/** Where the flags of the memory’s limits are: 1, a maximum. */
export const LIMITS = ${binary.indexOf(1, Buffer.from(binary).indexOf('memory\u0002'))};
/** The module as text: textOf of scripts/build-wasm.ts. */
export const TEXT =
  '${textOf(binary)}';
`;
}

for (const [entry, name, features] of MODULES) {
  const target = `${root}src/${name}.gen.ts`;
  const first = await compile(entry, features);
  const text = render(first, entry);
  if (process.argv.includes('--check')) {
    if (render(await compile(entry, features), entry) !== text) throw new Error(`two builds of ${entry} differ`);
    if (readFileSync(target, 'utf8') !== text)
      throw new Error(`${target} is not what kernels/${entry} builds; run scripts/build-wasm.ts`);
  } else {
    writeFileSync(target, text);
    console.log(`${target}: ${first.length} bytes`);
  }
}
