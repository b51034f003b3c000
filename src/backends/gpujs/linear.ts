/**
 * conv2d, dense and matmul as exact products of floats (spec/10-ops.md §2): raw operands, the zero point folded into the
 * bias, the output stage on the CPU.
 * @module
 */
import { floorDiv, stage as staged } from '../../core/int.ts';
import { allocate, i4At, type TypedArray } from '../../core/tensor.ts';
import type { BoundAttrs, Stage } from '../../ops/define.ts';
import type { AttrsOf } from '../../ops/index.ts';
import type { Plan, PlanNode, PlanTensor } from '../../runtime/plan.ts';
import { matrixOffsets } from '../wasm/strided.ts';
import { type Shape, shapeOf } from './gemm.ts';

/** A linear node as products of m rows with n columns, one for each batch. */
export interface Linear {
  readonly shape: Shape;
  /** Rows of each batch. */
  readonly rows: number;
  readonly batches: number;
  /** Writes row i of a batch. */
  row(x: TypedArray, batch: number, i: number, to: Float32Array, at: number): void;
  /** Columns [n, length] of a batch; constant weights are the same every time. */
  columns(b: TypedArray | undefined, batch: number): Float32Array;
  /** What is added to the sum of a column. */
  readonly folded: Int32Array;
  readonly stage: Stage | undefined;
}

/** Greatest magnitude of a raw element; padding reads the zero point. */
function reach(t: PlanTensor): number {
  return Math.max(Math.abs(t.lo), Math.abs(t.hi), Math.abs(t.zp));
}

/** Constant columns [n, length], their reach, and Σw of each. */
function constantColumns(n: number, k: number, weight: (column: number, i: number) => number) {
  const sums = new Int32Array(n);
  let most = 0;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < k; i++) {
      const w = weight(j, i);
      sums[j]! += w;
      most = Math.max(most, Math.abs(w));
    }
  }
  const fill = (length: number): Float32Array => {
    const out = new Float32Array(n * length);
    for (let j = 0; j < n; j++) for (let i = 0; i < k; i++) out[j * length + i] = weight(j, i);
    return out;
  };
  return { sums, most, fill };
}

/** A product with constant columns: of `rows` rows of k elements, which `row` writes. */
function weighted(
  x: PlanTensor,
  bias: PlanTensor,
  stage: Stage | undefined,
  rows: number,
  columns: ReturnType<typeof constantColumns>,
  k: number,
  row: Linear['row'],
): Linear | undefined {
  const n = columns.sums.length;
  const shape = shapeOf(rows, k, n, reach(x), columns.most);
  if (shape === undefined) return undefined;
  const folded = columns.sums.map((sum, j) => bias.data![j]! - Math.imul(x.zp, sum)); // wraps mod 2^32
  const data = columns.fill(shape.length);
  return { shape, rows, batches: 1, row, columns: () => data, folded, stage };
}

function dense(node: PlanNode, tensors: readonly PlanTensor[]): Linear | undefined {
  const [x, w, bias] = node.inputs.map((id) => tensors[id]!) as [PlanTensor, PlanTensor, PlanTensor];
  const u = tensors[node.inputs[3] ?? -1];
  const { block, stage } = node.attrs as unknown as BoundAttrs<AttrsOf<'dense'>>;
  const [o, k] = w.shape as readonly [number, number];
  const plain = (j: number, i: number): number => w.data![j * k + i]!;
  const scaled = (j: number, i: number): number =>
    i4At(w.data!, j * k + i) * (u!.data![j * u!.shape[1]! + floorDiv(i, block)]! - u!.zp);
  const columns = constantColumns(o, k, u === undefined ? plain : scaled);
  const row: Linear['row'] = (data, _, i, to, at) => to.set(data.subarray(i * k, (i + 1) * k), at);
  return weighted(x, bias, stage, floorDiv(tensors[node.outputs[0]!]!.count, o), columns, k, row);
}

/** Windows as rows; a tap outside the image reads the zero point. */
function conv2d(node: PlanNode, tensors: readonly PlanTensor[]): Linear | undefined {
  const [x, w, bias] = node.inputs.map((id) => tensors[id]!) as [PlanTensor, PlanTensor, PlanTensor];
  const { strides, dilations, pads, groups, stage } = node.attrs as unknown as BoundAttrs<AttrsOf<'conv2d'>>;
  if (groups > 1) return undefined;
  const [o, kh, kw, c] = w.shape as readonly [number, number, number, number];
  const [, h, width] = x.shape as readonly [number, number, number];
  const [n, oh, ow] = tensors[node.outputs[0]!]!.shape as readonly [number, number, number];
  const [sh, sw, dh, dw] = [strides[0]!, strides[1]!, dilations[0]!, dilations[1]!];
  const [pt, pl] = pads as readonly [number, number];
  const k = kh * kw * c;
  const row: Linear['row'] = (data, _, i, to, at) => {
    const line = floorDiv(i, ow);
    const image = floorDiv(line, oh);
    const [top, left] = [(line - image * oh) * sh - pt, (i - line * ow) * sw - pl];
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++, at += c) {
        const [iy, ix] = [top + ky * dh, left + kx * dw];
        const from = ((image * h + iy) * width + ix) * c;
        if (iy >= 0 && iy < h && ix >= 0 && ix < width) to.set(data.subarray(from, from + c), at);
        else to.fill(x.zp, at, at + c);
      }
    }
  };
  return weighted(
    x,
    bias,
    stage,
    n * oh * ow,
    constantColumns(o, k, (j, i) => w.data![j * k + i]!),
    k,
    row,
  );
}

function matmul(node: PlanNode, tensors: readonly PlanTensor[]): Linear | undefined {
  const [a, b] = node.inputs.map((id) => tensors[id]!) as [PlanTensor, PlanTensor];
  const y = tensors[node.outputs[0]!]!;
  const { tb, stage } = node.attrs as unknown as BoundAttrs<AttrsOf<'matmul'>>;
  const [m, n] = y.shape.slice(-2) as [number, number];
  const k = a.shape[a.shape.length - 1]!;
  const batch = y.shape.slice(0, -2);
  const [from, to] = [matrixOffsets(a, batch), matrixOffsets(b, batch)];
  const shape = y.count === 0 ? undefined : shapeOf(m, k, n, reach(a), reach(b));
  if (shape === undefined) return undefined;
  const [down, along] = tb ? [k, 1] : [1, n];
  const columns = (data: TypedArray | undefined, i: number): Float32Array => {
    const out = new Float32Array(n * shape.length);
    for (let j = 0; j < n; j++)
      for (let e = 0; e < k; e++) out[j * shape.length + e] = data![to[i]! + j * down + e * along]!;
    return out;
  };
  const row: Linear['row'] = (data, i, r, out, at) =>
    out.set(data.subarray(from[i]! + r * k, from[i]! + (r + 1) * k), at);
  return { shape, rows: m, batches: to.length, row, columns, folded: new Int32Array(n), stage };
}

/** A node as products of floats; undefined where its op, its shape or its proved bounds do not allow it. */
export function linearOf(node: PlanNode, { tensors }: Plan): Linear | undefined {
  if (node.op === 'dense') return dense(node, tensors);
  if (node.op === 'conv2d') return conv2d(node, tensors);
  return node.op === 'matmul' ? matmul(node, tensors) : undefined;
}

/** Runs the products of a node. `sums` makes those of some rows and columns. */
export async function runLinear(
  l: Linear,
  y: PlanTensor,
  x: TypedArray,
  b: TypedArray | undefined,
  sums: (rows: Float32Array, columns: Float32Array) => Promise<Int32Array>,
): Promise<TypedArray> {
  const { shape, stage, folded } = l;
  const { n, length } = shape;
  const out = allocate(y.dtype, y.count);
  const rows = new Float32Array(shape.rows * length);
  for (let batch = 0; batch < l.batches; batch++) {
    const columns = l.columns(b, batch);
    for (let first = 0; first < l.rows; first += shape.rows) {
      const count = Math.min(shape.rows, l.rows - first);
      for (let i = 0; i < count; i++) l.row(x, batch, first + i, rows, i * length);
      const part = await sums(rows, columns);
      const at = (batch * l.rows + first) * n;
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < n; j++) {
          const acc = (part[i * n + j]! + folded[j]!) | 0;
          const m = stage === undefined ? 0 : stage.m.length === 1 ? stage.m[0]! : stage.m[j]!;
          out[at + i * n + j] = stage === undefined ? acc : staged(acc, m, stage.l, stage.zp, stage.lo, stage.hi);
        }
      }
    }
  }
  return out;
}
