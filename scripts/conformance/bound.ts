/**
 * How far an integer output may lie from the float one: a bound for every element, from the scales and the float values
 * alone, before any integer runs. Each node adds the error of its own rounding to what its operands' errors become.
 * @module
 */
import { fitProducts } from '../../src/quant/emit/narrow.ts';
import {
  type FloatGraph,
  type FloatNode,
  type FloatOp,
  type GroupNorm,
  type LayerNorm,
  type Product,
  sizeOf,
} from '../../src/quant/float-graph.ts';
import type { Nms } from '../../src/quant/float-sequence.ts';
import { execute } from '../../src/quant/interpret.ts';
import { type Block, spread } from '../../src/quant/kernels/block.ts';
import { overlap } from '../../src/quant/kernels/sequence.ts';
import { exp } from '../../src/quant/math.ts';
import type { QType } from '../../src/quant/scales.ts';
import { applyChain, type UnaryFn } from '../../src/quant/unary.ts';
import { throughCell } from './bound-cells.ts';

/** An operand: its float values, the bound of each, and its integer type. */
export interface Operand {
  readonly value: Block;
  readonly error: Block;
  readonly type: QType | undefined;
}

/** Relative error of the 15-bit factors of a weighted sum. */
const FACTOR = 2 ** -14;
/** Steps that rounding to the nearest integer moves a weight, and the snapping of its scale. */
const WEIGHT_STEPS = 0.51;

const OPEN = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

function map(x: Block, f: (v: number, i: number) => number): Block {
  return { data: x.data.map(f), shape: x.shape };
}

function absolute(x: Block): Block {
  return map(x, Math.abs);
}

/** The operation run on bounds: what it makes of them in place of values. */
function run(op: FloatOp, of: readonly Block[], shape: readonly number[]): Block {
  const y = { data: new Float64Array(sizeOf(shape)), shape };
  execute(op, of[0] ?? y, y, of.slice(1));
  return y;
}

function plus(a: Block, b: Block): Block {
  return map(a, (v, i) => v + b.data[i]!);
}

/** Greatest |f(v + d) − f(v)| for |d| ≤ e, plus the error of straight pieces between table nodes `piece` apart. */
function throughFunction(fns: readonly UnaryFn[], v: number, e: number, type: QType | undefined): number {
  const y = applyChain(fns, v);
  let worst = 0;
  const look = (at: number): void => {
    const d = Math.abs(applyChain(fns, at) - y);
    if (!(d <= worst)) worst = d;
  };
  for (let i = -8; i <= 8; i++) look(v + (e * i) / 8);
  if (type?.dtype !== 'i16') return worst;
  const piece = 128 * type.scale;
  for (const at of [v - e, v, v + e]) {
    const left = Math.floor(at / piece) * piece;
    const [a, b] = [applyChain(fns, left), applyChain(fns, left + piece)];
    const bow = Math.abs(a + ((b - a) * (at - left)) / piece - applyChain(fns, at));
    if (!(bow + worst <= worst)) worst += bow;
  }
  return worst;
}

/** A layer's bound: errors of its input through |w|, and weights moved by steps of the widest row. */
function throughLayer(
  op: FloatOp & { kind: 'conv2d' | 'conv_transpose2d' | 'dense' },
  x: Operand,
  shape: readonly number[],
): Block {
  const none = new Float64Array(op.bias.length);
  const most = op.weight.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
  const step = (most / 127) * WEIGHT_STEPS;
  const size = map(plus(absolute(x.value), x.error), (v) => v);
  const own = run({ ...op, ...OPEN, bias: none, weight: op.weight.map(Math.abs) }, [x.error], shape);
  return plus(own, run({ ...op, ...OPEN, bias: none, weight: op.weight.map(() => step) }, [size], shape));
}

/** The operand's bound with the rounding that narrowing to another scale adds. */
function narrowedTo(x: Operand, scale: number): Block {
  return scale > x.type!.scale * (1 + 1e-9) ? map(x.error, (v) => v + 0.51 * scale) : x.error;
}

/** Bound of a sum of products: |a|·eb + ea·|b| + ea·eb, run as the op itself. */
function throughProducts(
  op: FloatOp,
  k: number,
  a: Operand,
  b: Operand,
  scale: number,
  shape: readonly number[],
): Block {
  const span = ({ type }: Operand): { reach: number; scale: number } => ({
    reach: Math.max(type!.hi - type!.zp, type!.zp - type!.lo),
    scale: type!.scale,
  });
  const [p, q] = fitProducts(k, span(a), span(b), scale)!;
  const [ea, eb] = [narrowedTo(a, p.scale), narrowedTo(b, q.scale)];
  const of = (x: Block, y: Block): Block => run({ ...op, ...OPEN } as FloatOp, [x, y], shape);
  return plus(plus(of(absolute(a.value), eb), of(ea, absolute(b.value))), of(ea, eb));
}

/** Softmax: each weight changes by at most e^(±2e) of its row's worst; tables add 2^−12 in 16 bits and 2^−9 in 8. */
function throughSoftmax(x: Operand, y: Block, type: QType | undefined): Block {
  const k = y.shape.at(-1)!;
  return map(y, (v, i) => {
    const from = i - (i % k);
    const worst = x.error.data.subarray(from, from + k).reduce((m, e) => Math.max(m, e), 0);
    return v * (exp(2 * worst) - 1) + (type?.dtype === 'i16' ? 2 ** -12 : 2 ** -9);
  });
}

/** Logarithm of a softmax: a difference of x and a mean of exponentials, its logarithm in steps of 2^−16 and a table. */
function throughLogSoftmax(x: Operand): Block {
  const k = x.value.shape.at(-1)!;
  return map(x.error, (e, i) => {
    const from = i - (i % k);
    return e + x.error.data.subarray(from, from + k).reduce((m, d) => Math.max(m, d), 0) + 2 ** -13;
  });
}

/** A quotient: (ea + |y|·eb)/(|b| − eb), and its factor of two 16-bit integers. */
function throughQuotient(op: Product, a: Operand, b: Operand, y: Block): Block {
  const plain = { ...op, ...OPEN, kind: 'mul' } as const;
  const ones = map(y, () => 1);
  const [ea, eb, size] = [a.error, b.error, absolute(b.value)].map((v) => run(plain, [ones, v], y.shape));
  return map(y, (v, i) => {
    const left = size!.data[i]! - eb!.data[i]!;
    const q = Math.abs(v);
    return left > 0 ? (ea!.data[i]! + q * eb!.data[i]!) / left + q * 2 ** -15 : Number.POSITIVE_INFINITY;
  });
}

/** Normalised rows: |δz| ≤ (2e + |z|·e)/(σ − e), since the deviation moves by at most the root mean square of δx. */
function throughNorm(op: LayerNorm, x: Operand, shape: readonly number[]): Block {
  const n = op.gamma.length;
  const plain = { ...op, gamma: new Float64Array(n).fill(1), beta: new Float64Array(n) };
  const z = run(plain, [x.value], shape);
  return map(z, (v, i) => {
    const from = i - (i % n);
    const row = x.value.data.subarray(from, from + n);
    const e = x.error.data.subarray(from, from + n).reduce((m, d) => Math.max(m, d), 0);
    const mean = op.rms ? 0 : row.reduce((a, b) => a + b, 0) / n;
    const sigma = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / n + op.eps);
    const left = sigma - e;
    return Math.abs(op.gamma[i % n]!) * (left > 0 ? (2 * e + Math.abs(v) * e) / left : Number.POSITIVE_INFINITY);
  });
}

/** As `throughNorm` over an image's groups of channels. */
function throughGroups(op: GroupNorm, x: Operand, y: Block): Block {
  const [n, h, w, c] = y.shape as [number, number, number, number];
  const width = c / op.groups;
  const size = h * w * width;
  const place = (at: number): number => {
    const [channel, pixel] = [at % c, Math.floor(at / c)];
    const row = Math.floor(pixel / (h * w)) * op.groups + Math.floor(channel / width);
    return row * size + (pixel % (h * w)) * width + (channel % width);
  };
  const rows = (v: Block): Block => {
    const out = { data: new Float64Array(v.data.length), shape: [n * op.groups, size] };
    v.data.forEach((e, at) => {
      out.data[place(at)] = e;
    });
    return out;
  };
  const [gamma, beta] = [new Float64Array(size).fill(1), new Float64Array(size)];
  const plain = { kind: 'layer_norm', gamma, beta, eps: op.eps, rms: false } as const;
  const own = throughNorm(plain, { ...x, value: rows(x.value), error: rows(x.error) }, [n * op.groups, size]);
  return map(y, (_, at) => Math.abs(op.gamma[at % c]!) * own.data[place(at)]!);
}

/** Which boxes are kept: no bound where an error may turn one of the comparisons, else 0. */
function throughSelection(op: Nms, boxes: Operand, scores: Operand, y: Block): Block {
  const n = boxes.value.shape[1]!;
  const greatest = (v: Block): number => v.data.reduce((m, e) => Math.max(m, Math.abs(e)), 0);
  const e = greatest(boxes.error) + greatest(boxes.value) / 23170;
  const es = greatest(scores.error);
  const { data } = scores.value;
  const near = (a: number, b: number, by: number): boolean => a !== b && Math.abs(a - b) <= by;
  let open = data.some((s) => Math.abs(s - op.threshold) <= es + scores.type!.scale);
  for (let from = 0; from < data.length; from += n)
    for (let i = from; i < from + n; i++)
      for (let j = i + 1; j < from + n; j++) open ||= near(data[i]!, data[j]!, 2 * es);
  for (let b = 0; b < boxes.value.shape[0]!; b++) {
    const own = boxes.value.data.subarray(b * n * 4, (b + 1) * n * 4);
    const area = (i: number): { size: number; sides: number } => {
      const [h, w] = [Math.abs(own[4 * i]! - own[4 * i + 2]!), Math.abs(own[4 * i + 1]! - own[4 * i + 3]!)];
      return { size: h * w, sides: h + w };
    };
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) {
        const [p, q, share] = [area(i), area(j), overlap(own, i, j)];
        const moved = 2 * e * (p.sides + q.sides) + 8 * e * e;
        const union = (p.size + q.size) / (1 + share) - moved;
        open ||= Math.abs(share - op.overlap) <= (union > 0 ? (2 * moved) / union : 1) + 2 ** -15;
      }
  }
  return map(y, () => (open ? Number.POSITIVE_INFINITY : 0));
}

/** Order moves no value by more than the greatest error of its line. */
function throughOrder(x: Operand, y: Block): Block {
  const worst = x.error.data.reduce((m, v) => Math.max(m, v), 0);
  return map(y, () => worst);
}

/** Bounds of a node's result before its own rounding. */
function carried(node: FloatNode, of: readonly Operand[], y: Block, type: QType | undefined): Block {
  const { op } = node;
  const [a, b] = of as [Operand, Operand];
  const { shape } = y;
  const errors = of.map((x) => x.error);
  switch (op.kind) {
    case 'conv2d':
    case 'conv_transpose2d':
    case 'dense':
      return throughLayer(op, a, shape);
    case 'affine': {
      const most = op.scale.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      return map(a.error, (e, i) => most * (e + (Math.abs(a.value.data[i]!) + e) / 127));
    }
    case 'linear': {
      const part = (c: number, x: Operand): Block =>
        map(x.error, (e, i) => Math.abs(c) * (e + Math.abs(x.value.data[i]!) * FACTOR));
      return run({ ...op, ...OPEN, ca: 1, cb: 1 }, [part(op.ca, a), part(op.cb, b)], shape);
    }
    case 'mul':
      return throughProducts(op, 1, a, b, type!.scale, shape);
    case 'matmul':
      return throughProducts(op, Math.max(1, a.value.shape.at(-1)!), a, b, type!.scale, shape);
    case 'unary': {
      const limit = a.type;
      return map(a.value, (v, i) => throughFunction(op.fns, v, a.error.data[i]!, limit));
    }
    case 'softmax':
      return throughSoftmax(a, y, type);
    case 'log_softmax':
      return throughLogSoftmax(a);
    case 'div':
      return throughQuotient(op, a, b, y);
    case 'layer_norm':
      return throughNorm(op, a, shape);
    case 'group_norm':
      return throughGroups(op, a, y);
    case 'nms':
      return throughSelection(op, a, b, y);
    case 'lstm':
    case 'gru':
      return throughCell(op, of, y, type!);
    case 'topk':
      return op.what === 'values' ? throughOrder(a, y) : map(y, () => 0);
    case 'rope': {
      const turned = a.error.data.reduce((m, v) => Math.max(m, v), 0);
      const reach = a.value.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      return map(y, () => 2 * turned + reach * 2 ** -12);
    }
    case 'reduce':
      return run(op.how === 'min' ? { ...op, how: 'max' } : op, errors, shape);
    case 'extremum':
      return run({ ...op, how: 'max' }, errors, shape);
    case 'where':
      return run({ kind: 'extremum', how: 'max' }, errors.slice(1), shape);
    case 'clamp':
      return errors[0]!;
    case 'pad':
      return run({ ...op, value: Float64Array.of(0) }, errors, shape);
    case 'gather':
      return run(op, [errors[0]!, b.value], shape);
    case 'constant':
    case 'compare':
    case 'arg':
    case 'logical':
      return map(y, () => 0);
    default:
      return run(op, errors, shape);
  }
}

/**
 * A bound on |integer − float| of every element by tensor, in real values. `values` are the float values of every tensor,
 * `types` the integer types.
 */
export function errorBounds(
  graph: FloatGraph,
  values: readonly Float64Array[],
  types: readonly (QType | undefined)[],
): readonly Float64Array[] {
  const step = (id: number): number => {
    const t = types[id];
    return t && (t.dtype === 'i8' || t.dtype === 'i16') ? t.scale : 0;
  };
  const out: Float64Array[] = graph.tensors.map(() => new Float64Array(0));
  for (const { tensor } of graph.inputs) out[tensor] = values[tensor]!.map(() => 0.5 * step(tensor));
  for (const node of graph.nodes) {
    const of = node.inputs.map((id): Operand => {
      const { shape } = graph.tensors[id]!;
      return { value: { data: values[id]!, shape }, error: { data: out[id]!, shape }, type: types[id] };
    });
    const y = { data: values[node.output]!, shape: graph.tensors[node.output]!.shape };
    const type = types[node.output];
    const moved = of.length === 1 && type?.scale === types[node.inputs[0]!]?.scale && node.op.kind !== 'unary';
    const own = node.op.kind === 'constant' ? 0.51 : 1.01;
    const error = spread(carried(node, of, y, type), y);
    out[node.output] = error.map((e) => e + (moved ? 0 : own * step(node.output)));
  }
  return out;
}
