/**
 * What a conversion made of every layer: both models run on calibration samples, tensor by tensor.
 * @module
 */
import type { Tensor } from '../../core/tensor.ts';
import { encodeModel } from '../../format/encode.ts';
import type { Graph, Model } from '../../graph/ir.ts';
import type { ConvertResult } from '../../quant/convert.ts';
import { type FloatGraph, type FloatNode, isIndex, isLayer, sizeOf } from '../../quant/float-graph.ts';
import { createInterpreter } from '../../quant/interpret.ts';
import { isMove } from '../../quant/plan.ts';
import { outputWidths } from '../../quant/quantize.ts';
import { sourceOrder } from '../../quant/samples.ts';
import { type QType, quantizeValue } from '../../quant/scales.ts';
import { resized, sizesOf } from '../../quant/symbolic.ts';
import { loadModel } from '../../runtime/load.ts';
import { createSession } from '../../runtime/session.ts';
import { macsOf, nodeGas } from '../figures.ts';

/** Counts of values between `lo` and `hi`. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly lo: number;
  readonly hi: number;
  /** Reals that the integers reach from and to, and the share of values beyond them. */
  readonly limits: readonly [number, number];
  readonly clipped: number;
}

/** One layer of the float graph and what it became. */
export interface LayerFacts {
  readonly name: string;
  readonly source: string;
  readonly became: readonly string[];
  readonly type: QType;
  readonly shape: readonly number[];
  readonly why: string;
  /** Signal over error of its output in dB, and of its worst operand; undefined where neither stands for reals. */
  readonly sqnr: number | undefined;
  readonly before: number | undefined;
  readonly histogram: Histogram | undefined;
  readonly gas: bigint;
  readonly macs: number;
  readonly bytes: number;
}

/** An output of one sample by both models, in the source's order. */
export interface SampleOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly float: Float64Array;
  readonly ours: Float64Array;
}

/** All that the report shows of the runs. */
export interface Collected {
  readonly layers: readonly LayerFacts[];
  readonly samples: readonly { readonly inputs: readonly SampleOutput[]; readonly outputs: readonly SampleOutput[] }[];
}

/** Samples that layers are compared on, and that outputs are shown of. */
const COMPARED = 8;
const SHOWN = 3;
const BINS = 44;

/** The integer graph with an output for each of these tensors. */
function opened(graph: Graph, ids: readonly number[]): Model {
  const outputs = ids.map((tensor) => ({ name: `t${tensor}`, tensor }));
  return loadModel(encodeModel({ ...graph, outputs, states: [] }));
}

/** Running sums of one tensor over the samples. */
interface Sums {
  signal: number;
  error: number;
  values: number;
  clipped: number;
  lo: number;
  hi: number;
  readonly kept: Float64Array[];
}

function decibels({ signal, error }: Sums): number {
  if (error === 0) return Number.POSITIVE_INFINITY;
  return signal === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(signal / error);
}

function histogramOf(s: Sums, type: QType): Histogram {
  const limits = [(type.lo - type.zp) * type.scale, (type.hi - type.zp) * type.scale] as const;
  const counts = new Array<number>(BINS).fill(0);
  const width = s.hi - s.lo || 1;
  for (const v of s.kept) for (const x of v) counts[Math.min(BINS - 1, Math.floor(((x - s.lo) / width) * BINS))]! += 1;
  return { counts, lo: s.lo, hi: s.hi, limits, clipped: s.clipped / Math.max(1, s.values) };
}

function addTo(s: Sums, float: Float64Array, ours: ArrayLike<number>, { zp, scale, lo, hi }: QType): void {
  const limits = [(lo - zp - 0.5) * scale, (hi - zp + 0.5) * scale] as const;
  for (let i = 0; i < float.length; i++) {
    const v = float[i]!;
    s.signal += v * v;
    s.error += (v - (ours[i]! - zp) * scale) ** 2;
    if (v < limits[0] || v > limits[1]) s.clipped++;
    if (v < s.lo) s.lo = v;
    if (v > s.hi) s.hi = v;
  }
  s.values += float.length;
  s.kept.push(float.length > 65536 ? float.filter((_, i) => i % Math.ceil(float.length / 65536) === 0) : float.slice());
}

/** True for constants, and for cells of an LSTM between its steps, which no tensor of the integer graph holds. */
function unseen({ op }: FloatNode): boolean {
  return op.kind === 'constant' || (op.kind === 'lstm' && op.what === 'cells');
}

/** Why a layer has the type that it has, and its weights their width. */
function whyOf(result: ConvertResult, node: FloatNode, wide: ReadonlySet<number>): string {
  const same = (w: { readonly name: string; readonly source: string }): boolean =>
    w.name === node.name && w.source === node.source;
  const four = result.report.int4.some(same);
  const two = isLayer(node.op) && result.report.widened.some((w) => w.what === 'weights' && same(w));
  const weights = four ? '; i4 weights in blocks' : two ? '; weights of 16 bits, in two parts' : '';
  return typeReason(result, node, wide) + weights;
}

function typeReason(result: ConvertResult, node: FloatNode, wide: ReadonlySet<number>): string {
  const tensor = result.float.tensors[node.output]!;
  const widened = result.report.widened.find((w) => w.name === node.name && w.what === 'values');
  const type = result.types[node.output]!;
  if (tensor.pin) return 'the type that the source model gives it';
  if (tensor.domain !== 'real') return tensor.domain === 'bool' ? 'truth values' : 'whole numbers, kept as they are';
  if (node.op.kind === 'constant') return 'a constant in the range of its values';
  if (widened && type.dtype === 'i16')
    return `${widened.bits} bits: 8 would bring ${(widened.share * 100).toPrecision(2)} % of the worst output's error`;
  if (isMove(node)) return 'moves elements in the type of its operand';
  if (wide.has(node.output)) return '16 bits: an output, or a stream that sums and normalisations carry';
  if (type.dtype === 'i16') return '16 bits: shares its type with a tensor of 16 bits';
  return node.op.kind === 'softmax' ? '8 bits of the fixed range 0…1' : '8 bits over the range that the samples show';
}

/** Integers of every input for a sample of reals. */
function feed(result: ConvertResult, float: FloatGraph, reals: readonly Float64Array[]): Record<string, Tensor> {
  return Object.fromEntries(
    float.inputs.map((port, i) => {
      const decl = result.graph.inputs[i]!;
      const { shape } = float.tensors[port.tensor]!;
      const type = result.types[port.tensor]!;
      const raw = isIndex(float, port) ? reals[i]! : reals[i]!.map((v) => quantizeValue(v, type));
      if (decl.u8) return [port.name, { dtype: 'u8', shape, data: Uint8Array.from(raw, (q) => q + 128) }];
      const make = { i8: Int8Array, i16: Int16Array, i32: Int32Array, bool: Int8Array }[type.dtype];
      return [port.name, { dtype: decl.dtype, shape, data: make.from(raw) }];
    }),
  );
}

function ported(
  float: FloatGraph,
  port: FloatGraph['inputs'][number],
  values: Float64Array,
  ours: Float64Array,
): SampleOutput {
  const order = sourceOrder(float, port);
  const turn = (v: Float64Array): Float64Array => {
    const out = v.slice();
    order?.forEach((at, i) => {
      out[at] = v[i]!;
    });
    return out;
  };
  const shape = port.perm.map((p) => float.tensors[port.tensor]!.shape[p]!);
  return { name: port.name, shape, float: turn(values), ours: turn(ours) };
}

/** Runs both models on samples. Without samples layers have no comparison. */
export async function collect(result: ConvertResult, model: Model): Promise<Collected> {
  const { graph, types, tensors, readers } = result;
  const float = result.float.symbols ? resized(result.float, sizesOf(result.float, readers)) : result.float;
  const real = (id: number): boolean => types[id]?.dtype === 'i8' || types[id]?.dtype === 'i16';
  const first = graph.inputs.length + graph.constants.length;
  const watched = float.nodes.filter((n) => !unseen(n) && real(n.output) && tensors[n.output]! >= first);
  const ids = [...new Set(watched.map((n) => tensors[n.output]!))].slice(0, 4096);
  const sums = new Map<number, Sums>();
  const samples: { inputs: SampleOutput[]; outputs: SampleOutput[] }[] = [];
  const count = Math.min(COMPARED, readers?.[0]?.count ?? 0);
  if (readers && count > 0) {
    const session = await createSession(opened(graph, ids), { backend: 'wasm' });
    const whole = await createSession(model, { backend: 'wasm' });
    const interpreter = createInterpreter(float);
    for (let s = 0; s < count; s++) {
      const reals = readers.map((r) => r.read(s));
      interpreter.run(reals);
      const given = feed(result, float, reals);
      const { outputs } = await session.run(given);
      for (const node of watched) {
        const own = sums.get(node.output) ?? { signal: 0, error: 0, values: 0, clipped: 0, lo: 0, hi: 0, kept: [] };
        const y = outputs[`t${tensors[node.output]}`];
        if (y) addTo(own, interpreter.values[node.output]!, y.data, types[node.output]!);
        if (y) sums.set(node.output, own);
      }
      if (s >= SHOWN) continue;
      const run = await whole.run(given);
      const outs = float.outputs.map((port) => {
        const { zp, scale } = types[port.tensor]!;
        const y = run.outputs[port.name]!;
        const shift = zp + (y.dtype === 'u8' ? 128 : 0);
        const ours = Float64Array.from(y.data, (q) => (q - shift) * scale);
        return ported(float, port, interpreter.values[port.tensor]!, ours);
      });
      const ins = float.inputs.map((port, i) => ported(float, port, reals[i]!, reals[i]!));
      samples.push({ inputs: ins.map((x) => ({ ...x, float: x.float.slice() })), outputs: outs });
    }
    session.dispose();
    whole.dispose();
  }
  const wide = new Set(outputWidths(result.float).keys());
  const seen = new Set<number>(); // constants are counted where they are first read
  const layers = float.nodes.map((node, i): LayerFacts => {
    const [from, end] = result.became[i]!;
    const own = model.info.slice(from, end);
    let bytes = 0;
    for (const n of graph.nodes.slice(from, end))
      for (const id of n.inputs) {
        const constant = graph.constants[id - graph.inputs.length];
        if (!constant || seen.has(id)) continue;
        seen.add(id);
        bytes += constant.data.byteLength;
      }
    const found = sums.get(node.output);
    const operands = node.inputs.flatMap((id) => (sums.has(id) ? [decibels(sums.get(id)!)] : []));
    return {
      name: node.name,
      source: node.source,
      became: graph.nodes.slice(from, end).map((n) => n.op),
      type: types[node.output]!,
      shape: float.tensors[node.output]!.shape,
      why: whyOf(result, node, wide),
      sqnr: found && decibels(found),
      before: operands.length > 0 ? Math.min(...operands) : undefined,
      histogram:
        found && sizeOf(float.tensors[node.output]!.shape) > 0 ? histogramOf(found, types[node.output]!) : undefined,
      gas: own.reduce((sum, n) => sum + nodeGas(model, n.cost), 0n),
      macs: own.reduce((sum, n) => sum + macsOf(model, n.cost), 0),
      bytes,
    };
  });
  return { layers, samples };
}
