import type { Dense } from '../../quant/float-graph.ts';
import { permute } from '../array.ts';
import { rowSteps } from '../steps.ts';
import type { OnnxArray } from '../tensor.ts';
import { identity } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

const OPEN = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

/** Dense weights [O,K] with the scales of their rows. */
type Weight = Pick<Dense, 'weight' | 'steps'>;

/** The weight of a product x·B as dense weights [O,K], its columns in the stored order of x. */
function denseWeights(b: OnnxArray, scale: number, order: Int32Array | null): Weight {
  const [k, o] = b.shape as [number, number];
  const out = new Float64Array(k * o);
  for (let i = 0; i < o; i++)
    for (let j = 0; j < k; j++) out[i * k + (order ? order[j]! : j)] = scale * b.data[j * o + i]!;
  return { weight: out, ...rowSteps(b, 1, o, scale) };
}

/** A row [O] from a bias of shape [], [1], [O] or [1,O]; undefined for any other. */
function biasRow({ data, shape }: OnnxArray, o: number, scale: number): Float64Array | undefined {
  const rows = shape.slice(0, -1).every((d) => d === 1);
  if (!rows || (data.length !== 1 && data.length !== o)) return undefined;
  return Float64Array.from({ length: o }, (_, i) => scale * data[data.length === 1 ? 0 : i]!);
}

/** Emits a dense node over the last axis of `x`. */
function dense(c: LowerContext, x: number, w: Weight, bias: Float64Array): number {
  const rows = c.graph.stored(x).slice(0, -1);
  return c.emit({ kind: 'dense', ...w, bias, ...OPEN }, [x], [...rows, bias.length]);
}

/** Input i times the constant [K,O], plus a row: the order of a flattened image goes into the weights. */
export function setDense(c: LowerContext, i: number, b: OnnxArray, scale: number, bias: Float64Array): void {
  const view = c.view(i);
  const columns = c.graph.columns(c.node, view);
  if (columns) {
    c.setPlain(dense(c, columns.id, denseWeights(b, scale, columns.order), bias));
    return;
  }
  const last = c.channelsLast(view, c.shape(i).length - 1);
  c.set({ ...last, id: dense(c, last.id, denseWeights(b, scale, null), bias) });
}

function swap(x: OnnxArray): OnnxArray {
  const { steps } = x;
  return { ...permute(x, [1, 0]), ...(steps ? { steps: { ...steps, axis: 1 - steps.axis } } : {}) };
}

/** Product of two activations; b is read as […,N,K] where it is stored so. */
export function setProduct(c: LowerContext, a: number, b: number, tb: boolean): void {
  const [p, q] = [c.graph.stored(a), c.graph.stored(b)];
  const n = tb ? q.at(-2)! : q.at(-1)!;
  const rank = Math.max(p.length, q.length) - 2;
  const batch = Array.from({ length: rank }, (_, i) =>
    Math.max(p[i - rank + p.length - 2] ?? 1, q[i - rank + q.length - 2] ?? 1),
  );
  c.setPlain(c.emit({ kind: 'matmul', tb, ...OPEN }, [a, b], [...batch, p.at(-2)!, n]));
}

/** Defines output 0 as alpha·(output 0) + beta·C. */
function addC(c: LowerContext, alpha: number): void {
  const name = c.node.outputs[0]!;
  const beta = c.float('beta', 1);
  const value = c.graph.values.get(name);
  if (!value || !('view' in value)) return;
  const y = value.view.id;
  const shape = c.graph.stored(y);
  if (!c.given(2)) {
    if (alpha !== 1)
      c.setPlain(c.emit({ kind: 'affine', scale: Float64Array.of(alpha), shift: Float64Array.of(0) }, [y], shape));
    return;
  }
  c.setPlain(c.emit({ kind: 'linear', ca: alpha, cb: beta, ...OPEN }, [y, c.plain(2)], shape));
}

/** Gemm: with a constant right operand a dense layer, alpha, beta and a row of C folded into it; else a product. */
export const Gemm: OpLowering = (c) => {
  if (c.shape(0).length !== 2 || c.shape(1).length !== 2) c.fail('BadGraph', 'both operands of Gemm have rank 2');
  const [transA, transB] = [c.int('transA', 0) !== 0, c.int('transB', 0) !== 0];
  const alpha = c.float('alpha', 1);
  const given = c.constant(1);
  const rows = c.shape(0)[transA ? 1 : 0]!;
  const k = c.shape(0)[transA ? 0 : 1]!;
  if (c.shape(1)[transB ? 1 : 0] !== k)
    c.fail('BadGraph', `the input has ${k} columns and the weight takes ${c.shape(1)[transB ? 1 : 0]}`);
  if (!given) {
    const a = c.graph.ordered(c.node, c.unshaped(0), transA ? [1, 0] : [0, 1]);
    setProduct(c, a, c.plain(1), transB);
    return addC(c, alpha);
  }
  const b = transB ? swap(c.weights(1, 'the right operand B')) : c.weights(1, 'the right operand B');
  const o = b.shape[1]!;
  const row = c.given(2) ? c.constant(2) : undefined;
  const bias = row && biasRow(c.weights(2, 'the operand C'), o, c.float('beta', 1));
  const folded = !c.given(2) || bias !== undefined;
  const own = bias ?? new Float64Array(o);
  if (transA) {
    const a = c.graph.ordered(c.node, c.unshaped(0), [1, 0]);
    c.setPlain(dense(c, a, denseWeights(b, folded ? alpha : 1, null), own));
  } else setDense(c, 0, b, folded ? alpha : 1, own);
  if (!folded) {
    const view = c.result();
    c.setPlain(c.graph.reshape(c.node, c.graph.plain(c.node, view), [rows, o]));
    addC(c, alpha);
  }
};

/** A one-axis operand as a matrix of one row or column; the axis leaves the result again. */
function matrix(c: LowerContext, i: number, column: boolean): number {
  const id = c.plain(i);
  const shape = c.graph.stored(id);
  return shape.length > 1 ? id : c.graph.reshape(c.node, id, column ? [shape[0]!, 1] : [1, shape[0]!]);
}

/** MatMul: dense for a constant matrix on either side, else a product. */
export const MatMul: OpLowering = (c) => {
  const [a, b] = [c.shape(0), c.shape(1)];
  const [left, right] = [c.constant(0), c.constant(1)];
  if (a.at(-1) !== (b.length === 1 ? b[0] : b.at(-2))) c.fail('BadGraph', `shapes [${a}] and [${b}] do not multiply`);
  if (right && b.length === 2 && a.length >= 2)
    return setDense(c, 0, c.weights(1, 'the right operand'), 1, new Float64Array(b[1]!));
  if (left && a.length === 2 && b.length >= 2) {
    const rank = b.length;
    const order = [...identity(rank - 2), rank - 1, rank - 2];
    const x = c.graph.ordered(c.node, c.unshaped(1), order);
    const y = dense(c, x, denseWeights(swap(c.weights(0, 'the left operand')), 1, null), new Float64Array(a[0]!));
    return c.set({ id: y, perm: order, shape: null });
  }
  setProduct(c, matrix(c, 0, false), matrix(c, 1, true), false);
  const drop = (a.length === 1 ? 1 : 0) + (b.length === 1 ? 2 : 0);
  if (drop === 0) return;
  const view = c.result();
  const shape = c.graph.stored(view.id);
  const kept = shape.filter((_, i) => !(drop & 1 && i === shape.length - 2) && !(drop & 2 && i === shape.length - 1));
  c.setPlain(c.graph.reshape(c.node, view.id, kept));
};
