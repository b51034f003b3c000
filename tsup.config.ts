import type { Options } from 'tsup';

const common: Options = { format: 'esm', target: 'es2022', outDir: 'dist', dts: false, sourcemap: false, silent: true, treeshake: false };

/**
 * The library: one entry a sub-path, shared code in chunks, so that an error class is one class whatever was imported.
 * The command line: one file that holds all it uses but the two runtime dependencies.
 */
const config: Options[] = [
  {
    ...common,
    platform: 'neutral',
    splitting: true,
    entry: { index: 'src/index.ts', reference: 'src/reference.ts', wasm: 'src/wasm.ts', format: 'src/format.ts', quant: 'src/quant.ts', onnx: 'src/onnx.ts' },
  },
  {
    ...common,
    platform: 'node',
    splitting: false,
    entry: { 'cli/main': 'src/cli/main.ts' },
    noExternal: ['cli-progress', 'cli-table3', 'commander'],
    banner: { js: "import { createRequire as samebitRequire } from 'node:module';\nconst require = samebitRequire(import.meta.url);" },
    esbuildOptions(options) {
      options.legalComments = 'eof';
    },
  },
];

export default config;
