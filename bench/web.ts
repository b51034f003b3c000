/**
 * WebGPU: samebit against onnxruntime-web on one adapter, by turns, beside samebit’s wasm; upload, run, readback and compiling
 * apart. In headless Chromium, or with `--dawn` in Node on the Vulkan driver of the environment:
 * [bash test/engines/lavapipe.sh .gpu] npx tsx bench/web.ts [--dawn] [--cases resnet-50,mobilenet-v2]
 * [--backends webgpu,wasm,wasm:2] [--forms f32,u8s8] [--budget MS] [--json FILE]; further backends of samebit are webgl and,
 * in a browser, gpujs-webgpu, gpujs-webgl2, gpujs-webasm and gpujs-cpu; `--forms none` leaves the peer out. The peer has no kernels for u8s8 on a GPU: that file runs on its CPU.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { readArgs } from '../scripts/args.ts';
import { chromium, type Files, served } from '../scripts/engines/browsers.ts';
import { installPinned, PACKAGES } from '../scripts/engines/install.ts';
import { fileOf, NETWORKS, type Prepared } from './cases.ts';
import { pairedRatio } from './measure.ts';
import { prepareImage } from './prepare.ts';
import type { WebRow, WebTask } from './web-page.ts';

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
import './page.mjs';
const post = (v) => fetch('answer', { method: 'POST', body: JSON.stringify(v) });
try { await post(await bench(await (await fetch('task.json')).json())); }
catch (e) { await post({ error: String(e?.stack ?? e) }); }
</script>`;
const LIMIT = 3_600_000;

const { values } = readArgs({
  options: {
    cases: { type: 'string', default: 'resnet-50,mobilenet-v2' },
    backends: { type: 'string', default: 'webgpu,wasm,wasm:2' },
    forms: { type: 'string', default: 'f32,u8s8' },
    budget: { type: 'string', default: '60000' },
    dawn: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

/** Files of the peer: its modules are fetched when they are needed. */
function peerFiles(): Files {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const names = ['mjs', 'wasm'].flatMap((end) =>
    ['', '.asyncify', '.jsep'].map((v) => `ort-wasm-simd-threaded${v}.${end}`),
  );
  const type = (n: string): string => (n.endsWith('.mjs') ? 'text/javascript' : 'application/wasm');
  return Object.fromEntries(names.map((n) => [`/ort/${n}`, [type(n), () => readFileSync(join(folder, n))] as const]));
}

function caseFiles(c: Prepared): Files {
  const kinds = ['f32.onnx', 'u8s8.onnx', 'sbm', 'floats', 'integers'] as const;
  const binary = 'application/octet-stream';
  return Object.fromEntries(kinds.map((k) => [`/${c.name}/${k}`, [binary, () => readFileSync(fileOf(c, k))] as const]));
}

/** Bundles the page; the peer is part of it, or is left to Node. */
async function buildPage(outfile: string, external: readonly string[]): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'web-page.ts')],
    outfile,
    external: [...external],
    nodePaths: [PACKAGES],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
}

async function inChromium(folder: string, task: WebTask, cases: readonly Prepared[]): Promise<string> {
  installPinned(['gpu.js', 'playwright-core']);
  const page = join(folder, 'page.mjs');
  await buildPage(page, []);
  const files: Files = {
    '/': ['text/html', () => PAGE],
    '/page.mjs': ['text/javascript', () => readFileSync(page)],
    '/task.json': ['application/json', () => JSON.stringify(task)],
    ...peerFiles(),
    ...Object.assign({}, ...cases.map(caseFiles)),
  };
  return served(
    files,
    chromium(folder, (line) => console.error(line)),
    LIMIT,
  );
}

/** The page in Node on Dawn, which takes no shared memory in a write as browsers do: it is copied. */
async function inNode(folder: string, task: WebTask): Promise<string> {
  const at = join(import.meta.dirname, 'build');
  installPinned(['gpu.js']);
  mkdirSync(at, { recursive: true });
  await buildPage(join(at, 'web-page.mjs'), ['onnxruntime-web']);
  writeFileSync(join(folder, 'task.json'), JSON.stringify(task));
  const main = `import { readFileSync, writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
Object.assign(globalThis, globals);
const { prototype } = globals.GPUQueue;
const { writeBuffer } = prototype;
prototype.writeBuffer = function (buffer, at, data, ...rest) {
  const shared = data.buffer instanceof SharedArrayBuffer;
  return writeBuffer.call(this, buffer, at, shared ? new Uint8Array(data) : data, ...rest);
};
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]), userAgent: 'Node', hardwareConcurrency: 2 } });
const folder = ${JSON.stringify(folder)} + '/';
const web = fetch;
globalThis.fetch = async (p, ...more) =>
  /^[a-z0-9-]+[/]/.test(String(p)) ? new Response(readFileSync(folder + p.replace('/', '.'))) : web(p, ...more);
await import('./web-page.mjs');
const answer = await bench(JSON.parse(readFileSync(folder + 'task.json', 'utf8')));
writeFileSync(folder + 'answer.json', JSON.stringify(answer));
process.exit();
`;
  const path = join(at, 'web-node.mjs');
  writeFileSync(path, main);
  const { status } = spawnSync(process.execPath, [path], { stdio: ['ignore', 2, 2], timeout: LIMIT });
  if (status !== 0) throw new Error(`the page in Node ended with ${status}`);
  return readFileSync(join(folder, 'answer.json'), 'utf8');
}

function print(cases: readonly Prepared[], rows: readonly WebRow[]): void {
  for (const c of cases) {
    const own = rows.filter((r) => r.case === c.name);
    const base = own.find((r) => r.subject === 'samebit webgpu');
    console.log(
      `\n${c.name}, ${(c.macs / 1e6).toFixed(0)} M products: milliseconds; × is against samebit webgpu, by rounds`,
    );
    console.log(
      '| subject | median | p10 … p90 | × | ready | upload | run | readback |\n|---|---:|---:|---:|---:|---:|---:|---:|',
    );
    for (const { subject, compile, times, parts } of own) {
      const ratio = base === undefined ? '' : pairedRatio(times, base.times).toFixed(2);
      const cells = [parts?.upload, parts?.run, parts?.readback].map((v) => v?.toFixed(1) ?? '');
      const spread = `${times.p10.toFixed(1)} … ${times.p90.toFixed(1)}`;
      console.log(`| ${[subject, times.median.toFixed(1), spread, ratio, compile.toFixed(0), ...cells].join(' | ')} |`);
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'samebit-web-'));
try {
  const cases: Prepared[] = [];
  for (const name of values.cases.split(',')) {
    const network = NETWORKS.find((n) => n.name === name);
    if (network === undefined) throw new Error(`no case ${name}; there are ${NETWORKS.map((n) => n.name).join(', ')}`);
    cases.push(await prepareImage(network, folder));
  }
  const task: WebTask = {
    cases,
    backends: values.backends.split(','),
    forms: values.forms.split(',').filter((f) => f !== 'none') as WebTask['forms'],
    budget: Number(values.budget),
  };
  const answer = values.dawn ? await inNode(folder, task) : await inChromium(folder, task, cases);
  const said = JSON.parse(answer) as { adapter: string; rows: WebRow[]; error?: string };
  if (said.error !== undefined) throw new Error(said.error);
  console.log(`adapter: ${said.adapter}`);
  print(cases, said.rows);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(said, null, 1));
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
