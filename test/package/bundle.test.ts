/** What an embedder ships: size, and that no importer, quantizer or command line comes along. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildResult, build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** Greatest size of the runtime with the wasm backend, minified and gzipped. */
const LIMIT = 48_000;
const EMBEDDER = `
  import { createSession, loadModel } from 'samebit';
  import { wasm } from 'samebit/wasm';
  export const run = async (bytes, inputs) => (await createSession(loadModel(bytes), { backend: wasm })).run(inputs);`;

type Bundle = BuildResult<{ write: false; metafile: true }>;

async function bundle(contents: string): Promise<Bundle> {
  return build({
    stdin: { contents, resolveDir: ROOT, loader: 'js' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'out',
    write: false,
    metafile: true,
    tsconfigRaw: '{}', // the packed files, not the sources that this repository maps names to
    logLevel: 'silent',
  });
}

/** The entry and all that it imports statically: what is fetched before a first run. */
function loaded(meta: Metafile): string[] {
  const seen: string[] = [];
  const visit = (path: string): void => {
    if (seen.includes(path)) return;
    seen.push(path);
    for (const i of meta.outputs[path]!.imports) if (i.kind === 'import-statement') visit(i.path);
  };
  visit(Object.keys(meta.outputs).find((p) => meta.outputs[p]!.entryPoint !== undefined && p.endsWith('stdin.js'))!);
  return seen;
}

/** Sources of this package inside input files of a bundle: dist names each in a comment. */
function sources(inputs: readonly string[]): string[] {
  return inputs.flatMap((p) =>
    [...readFileSync(join(ROOT, p), 'utf8').matchAll(/^\/\/ (src\/\S+)/gm)].map((m) => m[1]!),
  );
}

describe('an embedder', () => {
  let result: Bundle;
  let outputs: string[];
  let inputs: string[];

  beforeAll(async () => {
    result = await bundle(EMBEDDER);
    outputs = loaded(result.metafile);
    inputs = outputs
      .flatMap((p) =>
        Object.entries(result.metafile.outputs[p]!.inputs)
          .filter(([, i]) => i.bytesInOutput > 0)
          .map(([name]) => name),
      )
      .filter((p) => p !== '<stdin>');
  });

  it(`ships at most ${LIMIT} bytes gzipped`, () => {
    const text = Buffer.concat(
      result.outputFiles.filter((f) => outputs.some((p) => basename(p) === basename(f.path))).map((f) => f.contents),
    );
    const size = gzipSync(text, { level: 9 }).length;
    console.log(`runtime with wasm: ${size} bytes gzipped, ${text.length} minified`);
    expect(size).toBeLessThanOrEqual(LIMIT);
  });

  it('ships no importer, quantizer, command line or reference backend', () => {
    const shipped = sources(inputs.filter((p) => p.startsWith('dist/')));
    expect(shipped).toContain('src/runtime/session.ts');
    expect(shipped).toContain('src/backends/wasm/index.ts');
    expect(shipped.filter((p) => /^src\/(onnx|quant|cli|backends\/reference)\//.test(p))).toEqual([]);
  });

  it('ships one package: @noble/hashes', () => {
    const packages = inputs
      .filter((p) => p.includes('node_modules/'))
      .map((p) => p.replace(/^.*node_modules\/((@[^/]+\/)?[^/]+).*$/, '$1'));
    expect([...new Set(packages)]).toEqual(['@noble/hashes']);
  });

  it('uses no module of Node', () => {
    expect(
      Object.values(result.metafile.inputs)
        .flatMap((i) => i.imports)
        .filter((i) => i.path.startsWith('node:')),
    ).toEqual([]);
  });
});

it('every path of exports and bin is built', () => {
  const pkg = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
    bin: Record<string, string>;
  };
  const paths = [
    ...Object.values(pkg.exports).map((e) => (typeof e === 'string' ? e : e.default)),
    ...Object.values(pkg.bin),
  ];
  expect(paths.filter((p) => !existsSync(join(ROOT, p)))).toEqual([]);
});
