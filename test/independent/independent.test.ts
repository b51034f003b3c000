/** The second implementation (Python, written from spec/ alone) against this one: ids, digests, gas, memory, outputs, refusals. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph, Model } from '../../src/graph/ir.ts';
import { OPS } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { bind, createPlan } from '../../src/runtime/plan.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { fuzzCase } from '../support/fuzz.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { ask, base64, hasPython, type Request } from './ask.ts';

/** Raw integers of an input as the graph sees it: a u8 view holds q + 128. */
function raw(t: Tensor): number[] {
  return Array.from(t.data, (v) => (t.dtype === 'u8' ? v - 128 : v));
}

/** A state input is not passed: both sides start it at its zero point. */
function rawOrState(t: Tensor | undefined): readonly number[] | null {
  return t === undefined ? null : raw(t);
}

/** What both implementations must agree on, from this one. */
async function expected(model: Model, inputs: Readonly<Record<string, Tensor>>, dims: readonly number[]) {
  const session = await createSession(model, { backend: 'reference' });
  const { outputs, gasUsed, digest } = await session.run(inputs);
  session.dispose();
  const names = Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]!]));
  const { constants, peak } = createPlan(bind(model, names)).memory;
  return {
    id: Buffer.from(model.id).toString('hex'),
    digest,
    gas: String(gasUsed),
    memory: { constants, peak },
    outputs: model.outputs.map((o) => raw(outputs[o.name]!)),
  };
}

async function compare(graphs: readonly Graph[], seed: number): Promise<void> {
  const requests: Request[] = [];
  const wanted: unknown[] = [];
  for (const [i, graph] of graphs.entries()) {
    const bytes = encodeModel(graph);
    const model = loadModel(bytes);
    const r = new Prng(seed + i);
    const dims = randomDims(model, r);
    const inputs = randomInputs(model, r, dims);
    requests.push({
      model: base64(bytes),
      inputs: model.inputs.map((d) => rawOrState(inputs[d.name])),
      dims: Object.fromEntries(model.symbols.map((s, k) => [s.name, dims[k]!])),
    });
    wanted.push(await expected(model, inputs, dims));
  }
  const answers = ask(requests);
  for (const [i, w] of wanted.entries())
    expect(answers[i], `graph ${i}: ${graphs[i]!.nodes.map((n) => n.op).join(' ')}`).toEqual(w);
}

/** Code of the error that `f` throws, '' if none. */
function codeOf(f: () => unknown): string {
  try {
    f();
    return '';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** A small digit classifier: u8 image, two convolutions, pools, a dense head and a softmax. */
function digitNet(): Graph {
  const r = new Prng(7);
  const weights = (shape: readonly number[]) => ({
    dtype: 'i8' as const,
    shape,
    zp: 0,
    data: Int8Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => r.int(-127, 127)),
  });
  const bias = (n: number) => ({
    dtype: 'i32' as const,
    shape: [n],
    zp: 0,
    data: Int32Array.from({ length: n }, () => r.int(-4000, 4000)),
  });
  const stage = (m: readonly number[]) => ({ l: 0, m: Int32Array.from(m), dtype: 'i8', zp: -128, lo: -128, hi: 127 });
  const square = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], groups: 1 };
  const pool = { kernel: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0], overhang: [0, 0] };
  return {
    symbols: [],
    inputs: [{ name: 'image', dtype: 'i8', shape: [1, 12, 12, 1], zp: -128, lo: -128, hi: 127, u8: true }],
    constants: [weights([4, 3, 3, 1]), bias(4), weights([6, 3, 3, 4]), bias(6), weights([10, 54]), bias(10)],
    nodes: [
      { op: 'conv2d', inputs: [0, 1, 2], attrs: { ...square, stage: stage([9000000, 7000000, 8000000, 9500000]) } },
      { op: 'max_pool2d', inputs: [7], attrs: pool },
      { op: 'conv2d', inputs: [8, 3, 4], attrs: { ...square, stage: stage([3000000]) } },
      { op: 'max_pool2d', inputs: [9], attrs: pool },
      { op: 'reshape', inputs: [10], attrs: { shape: [1, 54] } },
      {
        op: 'dense',
        inputs: [11, 5, 6],
        attrs: { block: 0, stage: { l: 0, m: Int32Array.of(2000000), dtype: 'i8', zp: 3, lo: -128, hi: 127 } },
      },
      {
        op: 'softmax',
        inputs: [12],
        attrs: {
          l: 11,
          m: 1500000000,
          o: 8,
          output: { dtype: 'i8', zp: -128, lo: -128, hi: 127 },
          causal: false,
          offset: 0,
        },
      },
      { op: 'argmax', inputs: [12], attrs: { axis: 1, select_last: false } },
    ],
    outputs: [
      { name: 'p', tensor: 13, u8: true },
      { name: 'digit', tensor: 14 },
    ],
    states: [],
  };
}

// The second implementation is Python; `npm test` has to pass with Node alone and says that it was left out.
describe.skipIf(!hasPython)('a second implementation, from the spec alone', () => {
  it('agrees on a digit classifier', () => compare([digitNet(), digitNet(), digitNet()], 1));

  it('agrees on random graphs over every op', async () => {
    const graphs = Array.from({ length: 150 }, (_, i) => randomGraph(i + 1, 4));
    const seen = new Set(graphs.flatMap((g) => g.nodes.map((n) => n.op)));
    expect([...seen].sort()).toEqual(Object.keys(OPS).sort());
    await compare(graphs, 100);
  }, 60_000);

  it('accepts and refuses the same files', () => {
    const cases = Array.from({ length: 1500 }, (_, i) => fuzzCase(i).bytes);
    const answers = ask(cases.map((bytes) => ({ model: base64(bytes) })));
    const wrong = cases.flatMap((bytes, i) => {
      const { refused } = answers[i]!;
      const loaded = codeOf(() => loadModel(bytes));
      return (refused === undefined) !== (loaded === '') ? [`case ${i}: ${loaded} / ${refused}`] : [];
    });
    expect(wrong).toEqual([]);
  }, 60_000);
});
