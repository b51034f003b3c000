import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { Options } from 'tsup';
import * as core from './src/backends/wasm/kernels.gen.ts';
import { moduleBytes } from './src/backends/wasm/module.ts';
import * as more from './src/backends/wasm/more/kernels.gen.ts';

const common: Options = {
  format: 'esm',
  target: 'es2022',
  outDir: 'dist',
  dts: false,
  sourcemap: false,
  silent: true,
  treeshake: false,
  removeNodeProtocol: false, // `fs` is a module of Node only where a loader says so
};

/** Writes the licences of the packages that are bundled into the command line beside it. */
const licences: Plugin = {
  name: 'licences',
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      const packages = new Set<string>();
      for (const path of Object.keys(metafile?.inputs ?? {})) {
        const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
        if (found !== undefined) packages.add(found);
      }
      const texts = [...packages].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((f) => /^licen[cs]e(\.\w+)?$/i.test(f));
        return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`;
      });
      if (!existsSync('dist/cli')) mkdirSync('dist/cli', { recursive: true });
      writeFileSync('dist/cli/LICENSES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
    });
  },
};

/** Writes the modules of the wasm backend as files, for engines that take code only as it was deployed. */
async function writeModules(): Promise<void> {
  for (const [name, { TEXT, LENGTH }] of Object.entries({ core, more }))
    writeFileSync(join('dist', `${name}.wasm`), moduleBytes(TEXT, LENGTH));
}

/**
 * The library: one entry a sub-path, shared code in chunks, so that an error class is one class whatever was imported.
 * The command line: one file that holds all it uses but the two runtime dependencies.
 */
const config: Options[] = [
  {
    ...common,
    platform: 'neutral',
    external: [/^node:/],
    splitting: true,
    onSuccess: writeModules,
    entry: {
      index: 'src/index.ts',
      reference: 'src/reference.ts',
      wasm: 'src/wasm.ts',
      webgpu: 'src/webgpu.ts',
      webgl: 'src/webgl.ts',
      gpujs: 'src/gpujs.ts',
      consensus: 'src/consensus.ts',
      evm: 'src/evm.ts',
      market: 'src/market.ts',
      conformance: 'src/conformance.ts',
      format: 'src/format.ts',
      quant: 'src/quant.ts',
      onnx: 'src/onnx.ts',
      ort: 'src/ort.ts',
      pipeline: 'src/pipeline.ts',
      compile: 'src/compile.ts',
    },
  },
  {
    ...common,
    platform: 'node',
    splitting: false,
    entry: { 'cli/main': 'src/cli/main.ts' },
    noExternal: ['cli-progress', 'cli-table3', 'commander', 'picocolors'],
    banner: {
      js: "import { createRequire as samebitRequire } from 'node:module';\nconst require = samebitRequire(import.meta.url);",
    },
    esbuildPlugins: [licences],
    esbuildOptions(options) {
      options.minifyWhitespace = true;
      options.minifySyntax = true;
      options.legalComments = 'none'; // LICENSES.txt has them
    },
  },
];

export default config;
