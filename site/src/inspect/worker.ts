/**
 * Reads models in a worker: bytes of anybody's, which may take long or be refused.
 * @module
 */
import { expose } from 'comlink';
import { createPlan, createSession, hex, loadModel, type Model } from 'samebit';
import { type OnnxModel, parseOnnx } from 'samebit/onnx';
import { gasAtMaxima, macs } from '../../../src/cli/figures.ts';
import { type GraphFacts, modelFacts, type NodeFacts, onnxFacts } from '../../../src/cli/report/facts.ts';
import { showShape } from '../../../src/cli/signature.ts';
import { showDim } from '../../../src/core/dim.ts';
import { i4At, type TypedArray } from '../../../src/core/tensor.ts';
import type { Scale } from '../../../src/graph/ir.ts';
import type { Named } from '../convert/files.ts';
import { type Failure, failureOf } from '../shell/error.ts';

/** An input or output: `real` says which number an integer q stands for. */
export interface Port {
  readonly kind: 'input' | 'output';
  readonly name: string;
  readonly type: string;
  readonly range: string;
  readonly real: string;
}

/** Values of a constant, counted between its least and greatest. */
export interface Weights {
  readonly type: string;
  readonly count: number;
  readonly lo: number;
  readonly hi: number;
  readonly zeros: number;
  readonly counts: readonly number[];
}

/** Bytes that a run needs on a backend, or why it cannot run there. */
export interface Memory {
  readonly where: string;
  readonly constants: number;
  readonly activations: number;
  readonly scratch: number;
  readonly total: number;
}

/** A node as the page shows it; an ONNX file has neither costs nor ranges. */
export interface ShownNode extends Partial<Omit<NodeFacts, 'op'>> {
  readonly op: string;
  readonly title: string;
  readonly weights: readonly string[];
}

/** What a file holds. */
export interface Inspected {
  readonly kind: 'sbm' | 'onnx';
  readonly name: string;
  readonly bytes: number;
  readonly boxes: GraphFacts<unknown>['boxes'];
  readonly nodes: readonly ShownNode[];
  readonly ports: readonly Port[];
  /** Of an `.sbm` file. */
  readonly id?: string;
  readonly gas?: bigint;
  readonly macs?: number;
  readonly symbols?: readonly string[];
  readonly states?: readonly string[];
  readonly memory?: readonly (Memory | (Failure & { readonly where: string }))[];
  /** Constants by tensor id. */
  readonly constants?: ReadonlyMap<number, Weights>;
  /** Of an ONNX file: its opset, and why it cannot be converted as it is. */
  readonly opset?: number;
  readonly refusal?: Failure | undefined;
}

const BINS = 48;

function valuesOf(data: TypedArray, dtype: string, count: number): (i: number) => number {
  return dtype === 'i4' ? (i) => i4At(data, i) : (i) => (i < count ? data[i]! : 0);
}

function weightsOf(type: string, data: TypedArray, dtype: string, count: number): Weights {
  const at = valuesOf(data, dtype, count);
  let [lo, hi, zeros] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < count; i++) {
    const v = at(i);
    if (v < lo) lo = v;
    if (v > hi) hi = v;
    if (v === 0) zeros++;
  }
  const bins = Math.max(1, Math.min(BINS, hi - lo + 1 || 1));
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < count; i++) counts[Math.min(bins - 1, Math.floor(((at(i) - lo) / (hi - lo + 1)) * bins))]! += 1;
  return { type, count, lo, hi, zeros, counts };
}

function portsOf(model: Model): Port[] {
  const show = (d: Parameters<typeof showDim>[0]): string => showDim(d, model.symbols);
  const real = (scale: Scale | undefined, zp: number): string =>
    scale === undefined ? 'q, as it is' : `(q − ${zp}) · ${(scale.mantissa * 2 ** scale.exponent).toPrecision(6)}`;
  const shift = (u8: boolean | undefined): number => (u8 ? 128 : 0);
  const range = (lo: Parameters<typeof showDim>[0], hi: Parameters<typeof showDim>[0], u8?: boolean): string =>
    u8 ? `${(lo as number) + 128} … ${(hi as number) + 128}` : `${show(lo)} … ${show(hi)}`;
  return [
    ...model.inputs.map(
      (d): Port => ({
        kind: 'input',
        name: d.name,
        type: `${d.u8 ? 'u8' : d.dtype} ${showShape(d.shape, model.symbols)}`,
        range: range(d.lo, d.hi, d.u8),
        real: real(d.scale, d.zp + shift(d.u8)),
      }),
    ),
    ...model.outputs.map((o): Port => {
      const t = model.tensors[o.tensor]!;
      return {
        kind: 'output',
        name: o.name,
        type: `${o.u8 ? 'u8' : t.dtype} ${showShape(t.shape, model.symbols)}`,
        range: range(t.lo, t.hi, o.u8),
        real: real(o.scale, t.zp + shift(o.u8)),
      };
    }),
  ];
}

async function memoryOf(model: Model): Promise<NonNullable<Inspected['memory']>> {
  const { constants, peak, total } = createPlan({ model, dims: model.symbols.map((s) => s.max) }).memory;
  const rows: (Memory | (Failure & { where: string }))[] = [
    { where: 'canonical', constants, activations: peak, scratch: 0, total },
  ];
  for (const backend of ['reference', 'wasm'] as const) {
    try {
      const session = await createSession(model, { backend });
      await session.prepare(Object.fromEntries(model.symbols.map((s) => [s.name, s.max])));
      rows.push({ where: backend, ...session.explain().memory });
      session.dispose();
    } catch (e) {
      rows.push({ where: backend, ...failureOf(e) });
    }
  }
  return rows;
}

async function ofModel(name: string, bytes: Uint8Array): Promise<Inspected> {
  const model = loadModel(bytes);
  const { boxes, nodes } = modelFacts(model);
  const constants = new Map<number, Weights>();
  for (const n of nodes)
    for (const { tensor, type } of n.constants) {
      const { data, shape, dtype } = model.tensors[tensor]!;
      const count = (shape as readonly number[]).reduce((a, b) => a * b, 1);
      if (data !== undefined && !constants.has(tensor) && count > 0)
        constants.set(tensor, weightsOf(type, data, dtype, count));
    }
  const input = (i: number): string => model.inputs[i]!.name;
  return {
    kind: 'sbm',
    name,
    bytes: bytes.length,
    boxes,
    nodes: nodes.map((n, i) => ({ ...n, title: `${i} ${n.op}`, weights: n.constants.map((c) => c.type) })),
    ports: portsOf(model),
    id: hex(model.id),
    gas: gasAtMaxima(model),
    macs: macs(model),
    symbols: model.symbols.map((s) => `${s.name} ${s.min}…${s.max}`),
    states: model.states.map((s) => `${input(s.input)} is replaced by ${model.outputs[s.output]!.name} after each run`),
    memory: await memoryOf(model),
    constants,
  };
}

function ofOnnx(name: string, bytes: Uint8Array, beside: readonly Named[]): Inspected {
  const external = (path: string): Uint8Array | undefined =>
    beside.find((f) => f.name === path.replace(/^.*\//, ''))?.bytes;
  const model: OnnxModel = parseOnnx(bytes, { external });
  const { boxes, nodes, refusal } = onnxFacts(model, {});
  const shape = (v: OnnxModel['inputs'][number]): string =>
    `${v.dtype ?? 'other'} [${v.shape?.join(', ') ?? 'rank unknown'}]`;
  return {
    kind: 'onnx',
    name,
    bytes: bytes.length,
    boxes,
    nodes: nodes.map((n, i) => ({
      op: n.op,
      title: `${i} ${n.op}${n.name === '' ? '' : ` “${n.name}”`}`,
      weights: n.weights,
      gives: n.gives,
      attributes: n.attributes === '' ? [] : [n.attributes],
    })),
    ports: [
      ...model.inputs.map((v): Port => ({ kind: 'input', name: v.name, type: shape(v), range: '', real: '' })),
      ...model.outputs.map((v): Port => ({ kind: 'output', name: v.name, type: shape(v), range: '', real: '' })),
    ],
    opset: model.opset,
    refusal: refusal && failureOf(refusal),
  };
}

const api = {
  /** What a file holds; a refusal comes back as what is shown of it. */
  async inspect(file: Named, beside: readonly Named[]): Promise<Inspected | Failure> {
    try {
      if (/\.onnx$/i.test(file.name)) return ofOnnx(file.name, file.bytes, beside);
      return await ofModel(file.name, file.bytes);
    } catch (e) {
      return failureOf(e);
    }
  },
};
/** What the page calls. */
export type Inspector = typeof api;
expose(api);
