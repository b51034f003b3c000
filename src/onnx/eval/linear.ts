/**
 * ONNX products of matrices and their quantized forms.
 * @module
 */
import { arrayOf, broadcastStrides, broadcastTo, offsets, permute, sizeOf } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { centre } from './conv.ts';

/** Batched product of […,M,K] and […,K,N]; one-axis operands as NumPy takes them. */
export function product(c: EvalContext, a: OnnxArray, b: OnnxArray): { shape: number[]; data: Float64Array } {
  const [rowVector, columnVector] = [a.shape.length === 1, b.shape.length === 1];
  const p = rowVector ? [1, ...a.shape] : a.shape;
  const q = columnVector ? [...b.shape, 1] : b.shape;
  const [m, k] = p.slice(-2) as [number, number];
  const [kb, n] = q.slice(-2) as [number, number];
  if (k !== kb) c.fail('BadGraph', `shapes [${a.shape}] and [${b.shape}] do not multiply`);
  const batch = c.broadcast(p.slice(0, -2), q.slice(0, -2));
  const [pa, pb] = [p, q].map((s) => offsets(batch, broadcastStrides(s.slice(0, -2), batch))) as [
    Int32Array,
    Int32Array,
  ];
  const data = new Float64Array(sizeOf(batch) * m * n);
  for (let t = 0, to = 0; t < pa.length; t++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let acc = 0;
        const [from, at] = [(pa[t]! * m + i) * k, pb[t]! * k * n + j];
        for (let x = 0; x < k; x++) acc += a.data[from + x]! * b.data[at + x * n]!;
        data[to++] = acc;
      }
  return { shape: [...batch, ...(rowVector ? [] : [m]), ...(columnVector ? [] : [n])], data };
}

/** A matrix with its two axes swapped. */
function transposed(x: OnnxArray): OnnxArray {
  return permute(x, [1, 0]);
}

const Gemm: EvalOp = (c) => {
  const [a, b] = [
    c.int('transA', 0) ? transposed(c.get(0)) : c.get(0),
    c.int('transB', 0) ? transposed(c.get(1)) : c.get(1),
  ];
  const { shape, data } = product(c, a, b);
  const [alpha, beta] = [c.float('alpha', 1), c.float('beta', 1)];
  const row = c.inputs[2] && broadcastTo(c.get(2), shape).data;
  return arrayOf(
    a.dtype,
    shape,
    data.map((v, i) => alpha * v + (row ? beta * row[i]! : 0)),
  );
};

const MatMul: EvalOp = (c) => {
  const { shape, data } = product(c, c.get(0), c.get(1));
  return arrayOf(c.get(0).dtype, shape, data);
};

const MatMulInteger: EvalOp = (c) => {
  const [a, b] = [c.get(0), c.get(1)];
  const { shape, data } = product(
    c,
    centre(a, c.inputs[2], a.shape.length - 2),
    centre(b, c.inputs[3], b.shape.length - 1),
  );
  return arrayOf('int32', shape, data);
};

/** The letters of one term of an Einsum equation; `...` becomes upper-case letters from the right. */
function letters(term: string, rank: number): string {
  const plain = term.replace('...', '');
  const extra = Math.max(0, rank - plain.length);
  const dots = 'ABCDEFGH'.slice(8 - extra);
  return term.includes('...') ? term.replace('...', dots) : plain;
}

const Einsum: EvalOp = (c) => {
  const [left, right] = c.string('equation', '').replaceAll(' ', '').split('->') as [string, string | undefined];
  const xs = c.all();
  const terms = left.split(',').map((t, i) => letters(t, xs[i]?.shape.length ?? 0));
  const dims = new Map<string, number>();
  terms.forEach((t, i) => {
    for (const [axis, l] of [...t].entries()) dims.set(l, Math.max(dims.get(l) ?? 1, xs[i]!.shape[axis]!));
  });
  const once = [...dims.keys()].filter((l) => terms.join('').split(l).length === 2 || /[A-H]/.test(l)).sort();
  const dots = 'ABCDEFGH'.slice(8 - [...dims.keys()].filter((l) => /[A-H]/.test(l)).length);
  const out = right === undefined ? once.join('') : right.replace('...', dots);
  const summed = [...dims.keys()].filter((l) => !out.includes(l));
  const order = [...out, ...summed];
  const shape = order.map((l) => dims.get(l)!);
  const at = terms.map((t, i) => {
    const own = new Array<number>(order.length).fill(0);
    [...t].forEach((l, axis) => {
      const d = xs[i]!.shape[axis]!;
      if (d !== 1) own[order.indexOf(l)]! += sizeOf(xs[i]!.shape.slice(axis + 1));
    });
    return offsets(shape, own);
  });
  const outShape = shape.slice(0, out.length);
  const inner = sizeOf(shape.slice(out.length));
  const data = new Float64Array(sizeOf(outShape));
  for (let i = 0; i < data.length * inner; i++)
    data[Math.floor(i / inner)]! += xs.reduce((acc, x, j) => acc * x.data[at[j]![i]!]!, 1);
  return arrayOf(xs[0]!.dtype, outShape, data);
};

/** Determinant by elimination with the largest pivot. */
function determinant(a: Float64Array, n: number): number {
  let det = 1;
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(a[r * n + i]!) > Math.abs(a[best * n + i]!)) best = r;
    if (a[best * n + i] === 0) return 0;
    if (best !== i) {
      det = -det;
      for (let k = 0; k < n; k++) [a[i * n + k], a[best * n + k]] = [a[best * n + k]!, a[i * n + k]!];
    }
    det *= a[i * n + i]!;
    for (let r = i + 1; r < n; r++) {
      const f = a[r * n + i]! / a[i * n + i]!;
      for (let k = i; k < n; k++) a[r * n + k]! -= f * a[i * n + k]!;
    }
  }
  return det;
}

const Det: EvalOp = (c) => {
  const x = c.get(0);
  const n = x.shape.at(-1)!;
  const count = x.data.length / (n * n);
  const data = Float64Array.from({ length: count }, (_, i) => determinant(x.data.slice(i * n * n, (i + 1) * n * n), n));
  return arrayOf(x.dtype, x.shape.slice(0, -2), data);
};

/** Products. */
export const LINEAR: Readonly<Record<string, EvalOp>> = { Det, Einsum, Gemm, MatMul, MatMulInteger };
