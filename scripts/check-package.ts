/**
 * Installs the packed packages into an empty project and uses it there: types without skipLibCheck, the library in plain
 * Node, the command line by its bin, the server; and nothing but what is meant is in the packages.
 * @module
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root: string = fileURLToPath(new URL('..', import.meta.url));
const work: string = mkdtempSync(join(tmpdir(), 'samebit-package-'));
const installed: string = join(work, 'node_modules/samebit');
const server: string = join(work, 'node_modules/samebit-serve');

const CONSUMER = `
import { createSession, InputError, loadModel, type Model, type RunResult } from 'samebit';
import { encodeModel, type Graph } from 'samebit/format';
import { Blob, chunkOf, search } from 'samebit/market';
import { ImportError, parseOnnx } from 'samebit/onnx';
import { convertOnnx, quantizeInput } from 'samebit/quant';
import { reference } from 'samebit/reference';
import { wasm } from 'samebit/wasm';
import { mkdirSync, writeFileSync } from 'node:fs';
import { serve, type Serving } from 'samebit-serve';

const graph: Graph = {
  symbols: [], constants: [], states: [],
  inputs: [{ name: 'x', dtype: 'i8', shape: [4], zp: 0, lo: -128, hi: 127 }],
  nodes: [{ op: 'reshape', inputs: [0], attrs: { shape: [2, 2] } }],
  outputs: [{ name: 'y', tensor: 1 }],
};
const model: Model = loadModel(encodeModel(graph));
const results: RunResult[] = [];
for (const backend of [wasm, reference]) {
  const session = await createSession(model, { backend });
  results.push(await session.run({ x: quantizeInput(model.inputs[0]!, [1, 2, 3, 4]) }));
}
if (results[0]!.digest !== results[1]!.digest) throw new Error('the backends differ');
const blob = new Blob(encodeModel(graph));
if (chunkOf(blob, 0, blob.record(0)) === undefined || search([], {}).length > 0) throw new Error('the market is broken');
for (const f of [() => parseOnnx(new Uint8Array(0)), () => convertOnnx(new Uint8Array(0))]) {
  try {
    f();
    throw new Error('an empty file was read');
  } catch (e) {
    if (!(e instanceof ImportError) || e instanceof InputError) throw e;
  }
}
mkdirSync('models');
writeFileSync('models/reshape.sbm', encodeModel(graph));
const serving: Serving = await serve({ models: 'models', port: 0, workers: 1, log: 'silent' });
const answer = await fetch(serving.url + '/v1/models/' + serving.models[0] + '/run', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ inputs: { x: [1, 2, 3, 4] } }),
});
const { digest } = (await answer.json()) as { digest: string };
if (digest !== results[0]!.digest) throw new Error('the server differs');
await serving.close();
`;

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Packs a package as it is built and unpacks it as npm would. */
function unpack(folder: string, target: string): void {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', work], folder),
  ) as [{ filename: string }];
  mkdirSync(target, { recursive: true });
  run('tar', ['-xzf', join(work, filename), '--strip-components=1', '-C', target], work);
  console.log(`package: ${statSync(join(work, filename)).size} bytes packed in ${filename}`);
}

function install(): void {
  unpack(root, installed);
  unpack(join(root, 'packages/serve'), server);
  const { dependencies } = JSON.parse(readFileSync(join(server, 'package.json'), 'utf8')) as { dependencies: object };
  for (const dependency of [
    'protobufjs',
    'long',
    '@noble/hashes',
    '@types/node',
    'undici-types',
    ...Object.keys(dependencies),
  ]) {
    const target = join(work, 'node_modules', dependency);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(root, 'node_modules', dependency), target);
  }
}

/** Files of a package; none may be strange. */
function filesOf(folder: string, known: RegExp): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => relative(folder, join(e.parentPath, e.name)));
  const strange = files.filter((f) => !known.test(f));
  if (strange.length > 0) throw new Error(`unexpected files in the package: ${strange.join(', ')}`);
  return files;
}

function checkFiles(): void {
  const files = filesOf(
    installed,
    /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|spec\/[\w-]+\.md|contracts\/[\w/]+\.sol|bin\/samebit\.js|dist\/cli\/LICENSES\.txt|dist\/(core|more)\.wasm|dist\/[\w/.-]+\.(js|d\.ts))$/,
  );
  for (const f of [
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'dist/index.js',
    'dist/index.d.ts',
    'bin/samebit.js',
    'dist/cli/main.js',
  ]) {
    if (!files.includes(f)) throw new Error(`${f} is not in the package`);
  }
  const own = filesOf(server, /^(package\.json|README\.md|Dockerfile|LICENSE|dist\/[\w.-]+\.(js|d\.ts))$/);
  for (const f of ['README.md', 'LICENSE', 'dist/index.d.ts', 'dist/main.js', 'dist/worker.js'])
    if (!own.includes(f)) throw new Error(`${f} is not in the package of the server`);
}

try {
  install();
  checkFiles();
  writeFileSync(join(work, 'package.json'), '{ "type": "module", "private": true }\n');
  writeFileSync(join(work, 'consumer.ts'), CONSUMER);
  const flags = [
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--skipLibCheck',
    'false',
    '--types',
    'node',
    '--outDir',
    'out',
  ];
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...flags, 'consumer.ts'], work);
  run(process.execPath, ['out/consumer.js'], work);
  const { version, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    version: string;
    bin: { samebit: string };
  };
  const said = run(process.execPath, [join(installed, bin.samebit), '--version'], work).trim();
  if (said !== version) throw new Error(`the command line says version ${said}`);
  console.log(`package: types, library, command line of ${version} and the server work in an empty project`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
