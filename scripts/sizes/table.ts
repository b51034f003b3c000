/**
 * The table of docs/sizes.md, and the limits that entry points keep.
 * @module
 */
import type { Size } from './measure.ts';

/** Most bytes that an entry point loads, gzipped. A limit is raised on purpose, with the reason in the changelog. */
export const LIMITS: Readonly<Record<string, number>> = {
  samebit: 37_000,
  'samebit/reference': 14_000,
  'samebit/wasm': 16_500,
  'samebit/webgpu': 35_000,
  'samebit/consensus': 41_500,
  'samebit/evm': 130_000,
  'samebit/market': 160_000,
  'samebit/webgl': 41_500,
  'samebit/gpujs': 20_500,
  'samebit/conformance': 520_000,
  'samebit/format': 22_000,
  'samebit/quant': 132_000,
  'samebit/compile': 119_000,
  'samebit/onnx': 71_000,
  'samebit/ort': 42_500,
  'samebit/pipeline': 40_000,
};

/** Share by which a measured size may differ from the table: small changes need no other table. */
const NEAR = 0.05;

function grouped(n: number): string {
  return n.toLocaleString('en');
}

/** docs/sizes.md. */
export function table(sizes: readonly Size[]): string {
  const lines = sizes.map(
    ({ entry, loaded, later }) =>
      `| \`${entry}\` | ${grouped(loaded.gzipped)} | ${grouped(loaded.raw)} | ${later.raw === 0 ? '' : grouped(later.gzipped)} | ${later.raw === 0 ? '' : grouped(later.raw)} | ${grouped(LIMITS[entry] ?? 0)} |`,
  );
  return `# Sizes

Written by \`npm run sizes\`, held by a test: bytes of each entry point with all that it exports, bundled and minified by esbuild, gzip at level 9.
*Loaded* comes with the import; *later* are chunks that load when a model, an option or an error takes them. An application ships less: what it
does not import is left out, and entry points share what is below them. \`samebit\` and \`samebit/wasm\` together, as an embedder takes them, are
held to 48,000 bytes gzipped by test/package/bundle.test.ts. Node's modules and optional packages (viem, hono, webgpu, gpu.js) are not counted.

| import | loaded, gzipped | loaded | later, gzipped | later | limit, gzipped |
| --- | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
}

/** What is wrong with a table, or with the sizes. */
export function problems(text: string, sizes: readonly Size[]): string[] {
  return sizes.flatMap(({ entry, loaded }) => {
    const row = new RegExp(`^\\| \`${entry}\` \\| ([\\d,]+) \\|`, 'm').exec(text)?.[1];
    const limit = LIMITS[entry];
    if (limit === undefined) return [`${entry} has no limit: give it one in scripts/sizes/table.ts`];
    if (loaded.gzipped > limit) return [`${entry} loads ${loaded.gzipped} bytes gzipped, above its limit of ${limit}`];
    const stated = Number(row?.replaceAll(',', ''));
    if (!(Math.abs(loaded.gzipped - stated) <= NEAR * stated))
      return [`docs/sizes.md says ${row ?? 'nothing'} of ${entry}, which loads ${loaded.gzipped}: npm run sizes`];
    return [];
  });
}
