/**
 * How far an integer output may lie from the float one: a bound for every tensor from the scales alone, before anything
 * runs. Each node adds the error of its own rounding to what its operands' errors become.
 * @module
 */
import type { FloatGraph, FloatNode } from '../../src/quant/float-graph.ts';
import { exp } from '../../src/quant/math.ts';
import type { Ranges } from '../../src/quant/observe.ts';
import type { QType, Range } from '../../src/quant/scales.ts';
import { applyChain, type UnaryFn } from '../../src/quant/unary.ts';

interface Operand {
  readonly error: number;
  readonly range: Range;
  readonly shape: readonly number[];
}

const reach = (r: Range): number => Math.max(Math.abs(r.lo), Math.abs(r.hi));

/** Greatest |f(x + d) − f(x)| for |d| ≤ e over the range, plus the error of a table of straight pieces. */
function throughFunction(fns: readonly UnaryFn[], x: Operand, type: QType | undefined): number {
  const n = 2000;
  const step = (x.range.hi - x.range.lo) / n || 1e-9;
  const at = (v: number): number => applyChain(fns, Math.min(Math.max(v, x.range.lo), x.range.hi));
  const piece = type?.dtype === 'i16' ? 128 * type.scale : 0;
  let worst = 0;
  for (let i = 0; i <= n; i++) {
    const v = x.range.lo + i * step;
    const y = at(v);
    worst = Math.max(worst, Math.abs(at(v + x.error) - y), Math.abs(at(v - x.error) - y));
    if (piece > 0)
      worst = Math.max(
        worst,
        Math.abs((at(v - piece / 2) + at(v + piece / 2)) / 2 - y) + Math.abs(at(v + x.error) - y),
      );
  }
  return Number.isFinite(worst) ? worst : Number.POSITIVE_INFINITY;
}

/** Error of a layer's output: that of its input through the weights, and that of weights of half a step each. */
function throughLayer(weight: Float64Array, rows: number, x: Operand): number {
  const k = weight.length / rows;
  let worst = 0;
  for (let o = 0; o < rows; o++) {
    let [sum, top] = [0, 0];
    for (let i = 0; i < k; i++) {
      sum += Math.abs(weight[o * k + i]!);
      top = Math.max(top, Math.abs(weight[o * k + i]!));
    }
    worst = Math.max(worst, sum * x.error + ((k * top) / 127) * (reach(x.range) + x.error));
  }
  return worst;
}

/** Error of a node's result before its own rounding. */
function carried(node: FloatNode, of: readonly Operand[], types: readonly (QType | undefined)[]): number {
  const { op } = node;
  const [a, b] = of as [Operand, Operand];
  const most = of.reduce((m, x) => Math.max(m, x.error), 0);
  switch (op.kind) {
    case 'conv2d':
    case 'dense':
      return throughLayer(op.weight, op.bias.length, a);
    case 'affine':
      return op.scale.reduce((m, v) => Math.max(m, Math.abs(v)), 0) * (a.error + reach(a.range) / 127);
    case 'linear':
      return (
        Math.abs(op.ca) * (a.error + reach(a.range) * 2 ** -14) +
        Math.abs(op.cb) * (b.error + reach(b.range) * 2 ** -14)
      );
    case 'mul':
      return reach(a.range) * b.error + reach(b.range) * a.error + a.error * b.error;
    case 'matmul':
      return (
        a.shape.at(-1)! *
        (reach(a.range) * (b.error + reach(b.range) / 254) + reach(b.range) * (a.error + reach(a.range) / 254))
      );
    case 'reduce':
      return op.how === 'sum' ? a.error * op.axes.reduce((n, i) => n * a.shape[i]!, 1) : a.error;
    case 'unary':
      return throughFunction(op.fns, a, types[node.inputs[0]!]);
    case 'softmax':
      return exp(2 * a.error) - 1 + 2 ** -9;
    case 'compare':
    case 'arg':
    case 'logical':
      return 0;
    default:
      return most;
  }
}

/** A bound on |integer − float| for every tensor by id, in real values. */
export function errorBounds(graph: FloatGraph, ranges: Ranges, types: readonly (QType | undefined)[]): Float64Array {
  const out = new Float64Array(graph.tensors.length);
  const step = (id: number): number => {
    const t = types[id];
    return t && (t.dtype === 'i8' || t.dtype === 'i16') ? t.scale : 0;
  };
  for (const input of graph.inputs) out[input.tensor] = 0.5 * step(input.tensor);
  for (const node of graph.nodes) {
    const of = node.inputs.map(
      (id): Operand => ({ error: out[id]!, range: ranges[id]!, shape: graph.tensors[id]!.shape }),
    );
    const moved =
      of.length === 1 && types[node.output]?.scale === types[node.inputs[0]!]?.scale && node.op.kind !== 'unary';
    out[node.output] = carried(node, of, types) + (moved ? 0 : 1.01 * step(node.output));
  }
  return out;
}
