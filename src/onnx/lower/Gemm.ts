import type { LowerContext, OpLowering } from './context.ts';

/** The weight of a product x·B as dense weights [O,K], its columns in the stored order of x. */
function denseWeights(
  b: Float64Array,
  k: number,
  o: number,
  transposed: boolean,
  scale: number,
  order: Int32Array | null,
): Float64Array {
  const out = new Float64Array(k * o);
  for (let i = 0; i < o; i++)
    for (let j = 0; j < k; j++)
      out[i * k + (order ? order[j]! : j)] = scale * (transposed ? b[i * k + j]! : b[j * o + i]!);
  return out;
}

/** A row [O] from a bias of shape [], [1], [O] or [1,O]; undefined for any other. */
function biasRow(data: Float64Array, shape: readonly number[], o: number, scale: number): Float64Array | undefined {
  const rows = shape.slice(0, -1).every((d) => d === 1);
  if (!rows || (data.length !== 1 && data.length !== o)) return undefined;
  return Float64Array.from({ length: o }, (_, i) => scale * data[data.length === 1 ? 0 : i]!);
}

/** Emits a dense node and sets it as output 0. */
function emitDense(c: LowerContext, x: number, weight: Float64Array, bias: Float64Array): void {
  const rows = c.graph.stored(x).slice(0, -1);
  const limits = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  c.setPlain(c.emit({ kind: 'dense', weight, bias, ...limits }, [x], [...rows, bias.length]));
}

/** Gemm with a constant right operand: alpha, beta and transB go into the weights, a row of C into the bias. */
export const Gemm: OpLowering = {
  lower(c) {
    const shape = c.shape(0);
    const w = c.weights(1, 'the right operand B');
    if (shape.length !== 2 || w.shape.length !== 2) c.fail('BadGraph', 'both operands of Gemm have rank 2');
    if (c.int('transA', 0) !== 0) c.fail('UnsupportedForm', 'transA = 1 is not supported');
    const transB = c.int('transB', 0) !== 0;
    const [k, o] = transB ? [w.shape[1]!, w.shape[0]!] : [w.shape[0]!, w.shape[1]!];
    if (shape[1] !== k) c.fail('BadGraph', `the input has ${shape[1]} columns and the weight takes ${k}`);
    const row = c.given(2) ? c.weights(2, 'the operand C') : undefined;
    const bias = row ? biasRow(row.data, row.shape, o, c.float('beta', 1)) : new Float64Array(o);
    if (!bias) return c.fail('UnsupportedForm', 'C must be a scalar or one row of values');
    const x = c.graph.columns(c.node, c.view(0)) ?? { id: c.plain(0), order: null };
    emitDense(c, x.id, denseWeights(w.data, k, o, transB, c.float('alpha', 1), x.order), bias);
  },
};

/** MatMul of an activation [...,K] with a constant [K,O]. */
export const MatMul: OpLowering = {
  lower(c) {
    const shape = c.shape(0);
    const w = c.weights(1, 'the right operand');
    if (shape.length < 2 || w.shape.length !== 2)
      c.fail(
        'UnsupportedForm',
        `operands of rank ${shape.length} and ${w.shape.length}; the right one must have rank 2`,
      );
    const [k, o] = w.shape as [number, number];
    if (shape[shape.length - 1] !== k)
      c.fail('BadGraph', `the input has ${shape.at(-1)} columns and the weight takes ${k}`);
    const x = c.graph.columns(c.node, c.view(0)) ?? { id: c.plain(0), order: null };
    emitDense(c, x.id, denseWeights(w.data, k, o, false, 1, x.order), new Float64Array(o));
  },
};
