import type { Options } from 'tsup';

/** The program, its library and the file of its workers; packages stay outside. */
const config: Options = {
  entry: { index: 'src/index.ts', cli: 'src/cli.ts', main: 'src/main.ts', worker: 'src/worker.ts' },
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  splitting: true,
  outDir: 'dist',
  dts: false,
  sourcemap: false,
  silent: true,
};

export default config;
