/**
 * Compiled models: nanoseconds and instructions a MAC of both profiles beside the wasm backend, by turns in one process; and the bytes of the
 * modules beyond the weights; and what it takes to load the weights in chunks of 1 MiB. One thread.
 * Usage: npx tsx bench/aot.ts [part of a name] [--json FILE]
 * @module
 */
import { writeFileSync } from 'node:fs';
import { toWasm, toWasmChunks } from '../src/compile.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Constant, Graph, Node } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { type Compiled, instanceOf, loadChunks } from '../test/support/compiled.ts';
import { Prng } from '../test/support/prng.ts';
import { counting } from './aot-ops.ts';
import { interleave } from './measure.ts';

interface Layer {
  readonly op: 'conv2d' | 'dense';
  readonly out: number;
  readonly k?: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
}

/** A chain of layers over an image, with random weights; its MACs, and the bytes of weights, biases and multipliers. */
function chain(shape: readonly number[], layers: readonly Layer[]): { graph: Graph; macs: number; bytes: number } {
  const r = new Prng(7);
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  let [, h, w, c] = shape as [number, number, number, number];
  let [macs, bytes, at] = [0, 0, 0];
  for (const { op, out, k = 1, stride = 1, depthwise = false } of layers) {
    const dims = op === 'dense' ? [out, c] : [out, k, k, depthwise ? 1 : c];
    const count = dims.reduce((p, d) => p * d, 1);
    const data = new Int8Array(count);
    r.fill(data, -127, 127);
    const bias = new Int32Array(out);
    r.fill(bias, -10000, 10000);
    const pad = k >> 1;
    h = op === 'dense' ? 1 : Math.floor((h + 2 * pad - k) / stride) + 1;
    w = op === 'dense' ? 1 : Math.floor((w + 2 * pad - k) / stride) + 1;
    const stage = {
      m: Int32Array.from({ length: out }, () => 2 ** 19 + r.below(2 ** 18)),
      l: 0,
      dtype: 'i8',
      zp: 3,
      lo: -128,
      hi: 127,
    };
    const geometry = {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      groups: depthwise ? out : 1,
    };
    nodes.push({
      op,
      inputs: [at, 1 + constants.length, 2 + constants.length],
      attrs: op === 'dense' ? { stage } : { ...geometry, stage },
    });
    constants.push(
      { dtype: 'i8', shape: dims, zp: 0, data } as Constant,
      { dtype: 'i32', shape: [out], zp: 0, data: bias } as Constant,
    );
    macs += h * w * count;
    bytes += count + 8 * out;
    at = -nodes.length;
    c = out;
  }
  const first = 1 + constants.length;
  const wired = nodes.map((n) => ({ ...n, inputs: n.inputs.map((id) => (id < 0 ? first - id - 1 : id)) }));
  const inputs = [{ name: 'x', dtype: 'i8', shape, zp: 5, lo: -128, hi: 127 }];
  const outputs = [{ name: 'y', tensor: first + nodes.length - 1 }];
  return {
    graph: { symbols: [], inputs, constants, nodes: wired, outputs, states: [] } as unknown as Graph,
    macs,
    bytes,
  };
}

const block = (out: number, stride = 1): Layer[] => [
  { op: 'conv2d', out: -1, k: 3, stride, depthwise: true },
  { op: 'conv2d', out },
];

/** MobileNet v1 with 1,000 classes at the end of a 7×7 convolution in place of its pool. */
function mobileNet(): Layer[] {
  const outs = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
  const strided = new Set([1, 3, 5, 11]);
  const layers: Layer[] = [{ op: 'conv2d', out: 32, k: 3, stride: 2 }];
  outs.forEach((out, i) => {
    for (const l of block(out, strided.has(i) ? 2 : 1))
      layers.push(l.out < 0 ? { ...l, out: layers[layers.length - 1]!.out } : l);
  });
  return [...layers, { op: 'conv2d', out: 1000 }];
}

const CASES: readonly (readonly [name: string, shape: readonly number[], layers: readonly Layer[]])[] = [
  ['conv 3×3, 28×28×1 to 8', [1, 28, 28, 1], [{ op: 'conv2d', out: 8, k: 3 }]],
  ['conv 3×3, 14×14×8 to 16', [1, 14, 14, 8], [{ op: 'conv2d', out: 16, k: 3 }]],
  ['conv 3×3, 28×28×32 to 64', [1, 28, 28, 32], [{ op: 'conv2d', out: 64, k: 3 }]],
  ['conv 3×3, 14×14×128 to 128', [1, 14, 14, 128], [{ op: 'conv2d', out: 128, k: 3 }]],
  ['conv 1×1, 14×14×256 to 256', [1, 14, 14, 256], [{ op: 'conv2d', out: 256 }]],
  ['depthwise 3×3, 28×28×128', [1, 28, 28, 128], [{ op: 'conv2d', out: 128, k: 3, depthwise: true }]],
  ['dense 1024 to 1000', [1, 1, 1, 1024], [{ op: 'conv2d', out: 1000 }]],
  ['MobileNet v1', [1, 224, 224, 3], mobileNet()],
];

/** Instructions that an instance has run. */
function countOf(m: Compiled): number {
  return Number((m as unknown as { counted: WebAssembly.Global }).counted.value);
}

const only = process.argv.find((a, i) => i > 1 && !a.startsWith('--') && process.argv[i - 1] !== '--json') ?? '';
const rows: Record<string, unknown>[] = [];
for (const [name, shape, layers] of CASES.filter(([n]) => n.includes(only))) {
  const { graph, macs, bytes } = chain(shape, layers);
  const file = encodeModel(graph);
  const model = loadModel(file);
  const data = new Int8Array(shape.reduce((p, d) => p * d, 1));
  new Prng(3).fill(data, -128, 127);
  const session = await createSession(model, { backend: 'wasm' });
  const expected = Object.values((await session.run({ x: data })).outputs)[0]!.data;
  const load = (module: Uint8Array<ArrayBuffer>): Compiled => {
    const m = instanceOf(module);
    new Int8Array(m.memory.buffer, m.input_ptr(0), data.length).set(data);
    if (m.infer() !== 0) throw new Error('infer failed');
    const actual = new Int8Array(m.memory.buffer, m.output_ptr(0), m.output_len(0));
    if (actual.some((v, i) => v !== expected[i])) throw new Error(`${name}: other bytes`);
    return m;
  };
  const modules = { mvp: toWasm(model, { profile: 'mvp' }), simd128: toWasm(model, { profile: 'simd128' }) };
  const [mvp, simd] = [load(modules.mvp), load(modules.simd128)];
  const counter = load(counting(modules.mvp));
  const ops = countOf(counter);
  const parts = toWasmChunks(model, { chunkBytes: 2 ** 20 });
  const put = (module: Uint8Array<ArrayBuffer>): Compiled => {
    const m = instanceOf(module);
    loadChunks(m, parts.chunks);
    return m;
  };
  const chunkOps = countOf(put(counting(parts.module)));
  const inChunks = put(parts.module);
  const x = { x: data };
  const times = await interleave(
    [
      { run: () => mvp.infer() },
      { run: () => simd.infer() },
      { run: () => session.runSync(x) },
      { run: () => loadChunks(inChunks, parts.chunks) },
    ],
    macs > 1e8 ? 12000 : 3000,
  );
  const ns = times.map((t) => [(t.median * 1e6) / macs, (t.p10 * 1e6) / macs] as const);
  const beyond = { mvp: modules.mvp.length - bytes, simd128: modules.simd128.length - bytes };
  const all = parts.chunks.reduce((n, c) => n + c.length, 0);
  const chunks = { module: parts.module.length, bytes: all, ops: chunkOps / all, ns: (times[3]!.median * 1e6) / all };
  rows.push({
    name,
    macs,
    ops: ops / macs,
    ns: { mvp: ns[0], simd128: ns[1], wasm: ns[2] },
    weights: bytes,
    file: file.length,
    bytes: beyond,
    chunks,
  });
  const show = ([median, p10]: readonly [number, number]): string => `${median.toFixed(3)} (${p10.toFixed(3)})`;
  console.log(
    `${name.padEnd(28)} ${(ops / macs).toFixed(2)} ops a MAC; ns a MAC, median (p10): mvp ${show(ns[0]!)}, simd128 ${show(ns[1]!)}, wasm backend ${show(ns[2]!)}; bytes beyond ${bytes} of weights: mvp ${beyond.mvp}, simd128 ${beyond.simd128}; .sbm ${file.length - bytes}; in chunks: module ${chunks.module}, ${chunks.ops.toFixed(1)} ops and ${chunks.ns.toFixed(2)} ns a byte`,
  );
  session.dispose();
}
const json = process.argv.indexOf('--json');
if (json > 0) writeFileSync(process.argv[json + 1]!, `${JSON.stringify(rows, null, 1)}\n`);
