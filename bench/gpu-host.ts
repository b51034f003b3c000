/**
 * What bench/gpu-host.sh runs on a machine with a GPU, through Dawn: the row of ENGINES.md, dense products against the peak of
 * packed dots, ResNet-50 in images a second. One JSON object on stdout, progress on stderr.
 * Usage: node gpu-host.mjs DAWN TASK.json [--small] [--quick]
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeModel } from '../src/format/encode.ts';
import type { Graph } from '../src/graph/ir.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { createWebGpu } from '../src/webgpu.ts';
import { bed, type Task } from '../test/engines/bed.ts';
import { quantile } from './measure.ts';
import { resNet50 } from './networks.ts';
import { graphOf } from './prepare.ts';

const [dawn, taskPath, ...flags] = process.argv.slice(2);
if (dawn === undefined || taskPath === undefined)
  throw new Error('usage: gpu-host.mjs DAWN TASK.json [--small] [--quick]');
const small = flags.includes('--small');
const { create, globals } = createRequire(import.meta.url)(dawn) as { create(flags: string[]): GPU; globals: object };
Object.assign(globalThis, globals);
const gpu = create([]);
Object.assign(globalThis, { gpu });
const backend = createWebGpu({ gpu, timeout: 300_000 });

/** Sides of the products, batches and side of the images. */
const SIDES = small ? [128, 256] : [1024, 4096];
const BATCHES = small ? [1, 2] : [1, 32];
const IMAGE = small ? 64 : 224;
/** Layers that a chain of products has beyond its shortest form: time beside the products cancels. */
const CHAIN = small ? 2 : 8;
/** Milliseconds for the runs of a figure. */
const BUDGET = small ? 1000 : 8000;

function say(line: string): void {
  console.error(line);
}

/** Median of the times of a function, in milliseconds, after two that warm up. */
async function median(run: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 2; i++) await run();
  const times: number[] = [];
  for (
    const start = performance.now();
    times.length < 5 || (performance.now() - start < BUDGET && times.length < 50);
  ) {
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
  }
  return quantile(times, 0.5);
}

/** x i8 [n,n] times one matrix, `layers` times. */
function chain(n: number, layers: number): Graph {
  const stage = { m: Int32Array.of(1 << 24), l: 0, dtype: 'i8', zp: 0, lo: -128, hi: 127 };
  const weight = Int8Array.from({ length: n * n }, (_, i) => (Math.imul(i, 0x9e3779b1) >> 24) | 0);
  return {
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [n, n], zp: 0, lo: -128, hi: 127 }],
    constants: [
      { dtype: 'i8', shape: [n, n], zp: 0, data: weight },
      { dtype: 'i32', shape: [n], zp: 0, data: new Int32Array(n) },
    ],
    nodes: Array.from({ length: layers }, (_, i) => ({
      op: 'dense' as const,
      inputs: [i === 0 ? 0 : i + 2, 1, 2],
      attrs: { block: 0, stage },
    })),
    outputs: [{ name: 'y', tensor: layers + 2 }],
    states: [],
  };
}

/** 10^12 operations a second of a product of two n × n matrices: two operations a product of elements. */
async function gemm(n: number): Promise<object> {
  const x = { x: Int8Array.from({ length: n * n }, (_, i) => (Math.imul(i, 0x85ebca6b) >> 24) | 0) };
  const times: number[] = [];
  let kernel = '';
  for (const layers of [1, 1 + CHAIN]) {
    const model = loadModel(encodeModel(chain(n, layers)));
    const session = await createSession(model, { backend });
    if (n <= 1024) {
      const own = await createSession(model, { backend: 'wasm' });
      const [a, b] = [await own.run(x), await session.run(x)];
      if (a.digest !== b.digest) throw new Error(`${n}: differs from wasm`);
      own.dispose();
    }
    times.push(await median(() => session.run(x)));
    kernel = session.explain().kernels[0]!.kernel;
    session.dispose();
  }
  const ms = (times[1]! - times[0]!) / CHAIN;
  const tops = (2 * n ** 3) / ms / 1e9;
  say(`gemm ${n}: ${ms.toFixed(3)} ms, ${tops.toFixed(3)} TOPS, ${kernel}`);
  return { side: n, kernel, ms, tops, runMs: times[0] };
}

/** Packed dots of all invocations, 16 sums each, in registers: 10^12 operations a second, eight a dot. */
async function packedPeak(): Promise<number | undefined> {
  if (!gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product')) return undefined;
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' }))!;
  const device = await adapter.requestDevice();
  const sums = Array.from({ length: 16 }, (_, i) => i);
  const code = `requires packed_4x8_integer_dot_product;
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
override turns: u32;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let w = id.x * 0x01030507u + 0x11u;
${sums.map((i) => `  var s${i} = i32(id.x) + ${i};`).join('\n')}
  for (var i = 0u; i < turns; i++) {
${sums.map((i) => `    s${i} += dot4I8Packed(bitcast<u32>(s${i}), w);`).join('\n')}
  }
  out[id.x] = bitcast<u32>(${sums.map((i) => `s${i}`).join(' ^ ')});
}`;
  const [groups, turns] = small ? [64, 256] : [8192, 2048];
  const buffer = device.createBuffer({ size: groups * 256 * 4, usage: 128 });
  const module = device.createShaderModule({ code });
  const times: number[] = [];
  for (const factor of [1, 3]) {
    const compute = { module, entryPoint: 'main', constants: { turns: turns * factor } };
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
    const layout = pipeline.getBindGroupLayout(0);
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
    times.push(
      await median(async () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(groups);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      }),
    );
  }
  device.destroy();
  const tops = (groups * 256 * 16 * 8 * turns * 2) / (times[1]! - times[0]!) / 1e9;
  say(`packed dots: ${tops.toFixed(3)} TOPS`);
  return tops;
}

/** The graph on more images at once: what it reshapes has a batch, too. */
function batched(graph: Graph, batch: number): Graph {
  const [input] = graph.inputs;
  const nodes = graph.nodes.map((n) => {
    const shape = n.attrs['shape'] as readonly number[] | undefined;
    return n.op === 'reshape' ? { ...n, attrs: { ...n.attrs, shape: [batch, ...shape!.slice(1)] } } : n;
  });
  return { ...graph, nodes, inputs: [{ ...input!, shape: [batch, ...input!.shape.slice(1)] }] };
}

async function images(graph: Graph, batch: number): Promise<object> {
  const model = loadModel(encodeModel(batched(graph, batch)));
  const pixels = Uint8Array.from({ length: batch * IMAGE * IMAGE * 3 }, (_, i) => (i * 167 + (i >> 8)) & 255);
  const inputs = { [model.inputs[0]!.name]: pixels };
  const begun = performance.now();
  const session = await createSession(model, { backend });
  const prepareMs = performance.now() - begun;
  const own = await createSession(model, { backend: 'wasm' });
  if ((await own.run(inputs)).digest !== (await session.run(inputs)).digest)
    throw new Error('ResNet-50 differs from wasm');
  own.dispose();
  const ms = await median(() => session.run(inputs));
  session.dispose();
  say(`ResNet-50, batch ${batch}: ${ms.toFixed(2)} ms, ${((batch * 1000) / ms).toFixed(1)} images a second`);
  return { batch, size: IMAGE, ms, imagesPerSecond: (batch * 1000) / ms, prepareMs };
}

const task = {
  ...(JSON.parse(readFileSync(taskPath, 'utf8')) as Task),
  ...(flags.includes('--quick') && { every: 20, graphs: 5 }),
};
const suite = await bed(task);
for (const lane of suite.lanes) say(`suite: ${lane.checks} runs, ${lane.differences.length} differ, ${lane.digest}`);
for (const r of suite.refused) say(`refused: ${r.error}`);
const rows = suite.lanes.map(({ backend: name, device, checks, digest, differences, seconds }) => ({
  engine: 'Node with Dawn',
  version: suite.version,
  device,
  backend: name,
  checks,
  digest,
  differing: differences.length,
  seconds,
}));
if (suite.refused.length > 0) process.exitCode = 1;
else {
  const packedDotTops = await packedPeak();
  const products: object[] = [];
  for (const n of SIDES) products.push(await gemm(n));
  say('writing ResNet-50 down');
  const graph = graphOf({ shape: [1, IMAGE, IMAGE, 3], network: resNet50 });
  const resnet: object[] = [];
  for (const batch of BATCHES) resnet.push(await images(graph, batch));
  console.log(JSON.stringify({ rows, packedDotTops, gemm: products, resnet50: resnet }, null, 1));
}
process.exit();
