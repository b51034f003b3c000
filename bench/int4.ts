/**
 * One row times i4 weights beyond the caches, against the same layer of i8 weights: kernels by turns in one process, on one thread, by
 * processor time, so that what else the machine does counts for less. Medians (10th to 90th percentile) of milliseconds, and of the ratio of two
 * runs that follow each other. Outputs of the kernel and of the one for small layers are compared first.
 * Usage: npx tsx bench/int4.ts [rounds] [K] [O]
 * @module
 */
import { Builder } from '../src/backends/wasm/builder.ts';
import { call, type Prepared } from '../src/backends/wasm/call.ts';
import { codeFor } from '../src/backends/wasm/index.ts';
import { prepareNode } from '../src/backends/wasm/kernels.ts';
import { instantiate, PAGE } from '../src/backends/wasm/module.ts';
import type { Plan } from '../src/runtime/plan.ts';
import { type Operand, planOf, Random } from '../test/backends/wasm-harness.ts';

const [rounds = 60, K = 6144, O = 16384] = process.argv.slice(2).map(Number);
const r = new Random(1);
const x = r.tensor('i8', [K], { zp: 3 });
const zeros = new Int32Array(O);
const bias: Operand = { dtype: 'i32', shape: [O], data: zeros, constant: true };
const weights = (dtype: 'i8' | 'i4', count: number): Operand => {
  const data = new Int8Array(count);
  for (let i = 0; i < count; i++) data[i] = Math.imul(i + 1, 0x9e3779b1) >> 25;
  return { dtype, shape: [O, K], data, constant: true };
};
const stage = (l: number): Record<string, unknown> => ({
  stage: { m: Int32Array.of(2 ** 14 + 1), l, dtype: 'i8', zp: 3, lo: -128, hi: 127 },
});

interface Ready {
  readonly kernel: string;
  readonly run: () => void;
  readonly output: () => Uint8Array;
}

/** A layer in a memory of its own; `plain`: without the kernels for large nodes. */
async function ready(plan: Plan, plain = false): Promise<Ready> {
  const b = new Builder(plan, true);
  const { modules, more } = await codeFor(plan);
  const { kernel, calls }: Prepared = prepareNode(plan.nodes[0]!, b, plain ? undefined : more);
  const { base, area } = b.figures;
  const { memory, kernels } = instantiate(modules, Math.ceil((base + area) / PAGE), base);
  b.write(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(new Uint8Array(x.data.buffer), b.at({ id: 0 }));
  const id = plan.outputs[0]!;
  return {
    kernel,
    run: () => {
      for (const c of calls) call(kernels, c, 0, c.units);
    },
    output: () => bytes.slice(b.at({ id }), b.at({ id }) + plan.tensors[id]!.bytes),
  };
}

/** Milliseconds of processor time. */
function timed(f: () => void): number {
  const start = process.cpuUsage();
  f();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function quantiles(values: readonly number[]): string {
  const v = [...values].sort((a, b) => a - b);
  const at = (q: number): string => v[Math.floor(q * (v.length - 1))]!.toFixed(2);
  return `${at(0.5)} (${at(0.1)}…${at(0.9)})`;
}

const eight = await ready(planOf('dense', [x, weights('i8', O * K), bias], { block: 0, ...stage(0) }));
console.log(
  `${O} × ${K}: ${((O * K) / 1e6).toFixed(1)} MB of i8, ${((O * K) / 2e6).toFixed(1)} MB of i4; ${rounds} rounds`,
);
console.log('| scales | kernel | ms | i8 ms | i8 ÷ i4 |\n| --- | --- | --- | --- | --- |');
for (const block of [16, 32, 64, 128, 256]) {
  const u = r.tensor('i8', [O, Math.ceil(K / block)], { lo: -127, hi: -100, zp: -128, constant: true });
  const plan = planOf('dense', [x, weights('i4', (O * K) >> 1), bias, u], { block, ...stage(0) });
  const both = [await ready(plan), await ready(plan, true)];
  for (const { run } of both) run();
  if (Buffer.compare(both[0]!.output(), both[1]!.output()) !== 0) throw new Error('two kernels differ');
  for (const { kernel, run } of both) {
    const times: (readonly [number, number])[] = [];
    for (let i = -3; i < rounds; i++) {
      const pair = [timed(eight.run), timed(run)] as const;
      if (i >= 0) times.push(pair);
    }
    const columns = [times.map((t) => t[1]), times.map((t) => t[0]), times.map(([a, b]) => a / b)];
    console.log(`| ${block} | ${kernel} | ${columns.map(quantiles).join(' | ')} |`);
  }
}
