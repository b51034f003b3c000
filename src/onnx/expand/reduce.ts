/**
 * Reductions of functions, and losses.
 * @module
 */
import type { Expand, Expansion } from './context.ts';

/** A reduction `how` with the axes of this node. */
function over(e: Expansion, how: string, x: string, o?: number): string {
  const axes = e.given(1) ? [e.input(1)] : e.has('axes') ? [e.whole([...e.list('axes')!])] : [];
  const attributes = { keepdims: e.int('keepdims', 1), noop_with_empty_axes: e.int('noop_with_empty_axes', 0) };
  if (o === undefined) return e.op(how, [x, ...axes], attributes);
  e.give(o, how, [x, ...axes], attributes);
  return '';
}

const ReduceSumSquare: Expand = (e) => over(e, 'ReduceSum', e.op('Mul', [e.input(0), e.input(0)]), 0);
const ReduceL1: Expand = (e) => over(e, 'ReduceSum', e.op('Abs', [e.input(0)]), 0);
const ReduceLogSum: Expand = (e) => e.give(0, 'Log', [over(e, 'ReduceSum', e.input(0))]);
const ReduceLogSumExp: Expand = (e) => e.give(0, 'Log', [over(e, 'ReduceSum', e.op('Exp', [e.input(0)]))]);
const ReduceL2: Expand = (e) => e.give(0, 'Sqrt', [over(e, 'ReduceSum', e.op('Mul', [e.input(0), e.input(0)]))]);

/** Loss of each element and its weight: log-probabilities x [N,C,…] at the classes of the target [N,…]. */
function negativeLog(
  e: Expansion,
  x: string,
  shape: readonly number[],
  target: number,
  weight: number,
  o: number,
): void {
  const reduction = e.string('reduction', 'mean');
  const classes = shape[1]!;
  const column = [1, classes, ...new Array<number>(shape.length - 2).fill(1)];
  const at = e.op('Unsqueeze', [e.input(target), e.whole([1])]);
  const range = e.array({
    dtype: e.dtype(target) ?? 'int64',
    shape: column,
    data: Float64Array.from({ length: classes }, (_, i) => i),
  });
  const match = e.op('Equal', [at, range]);
  const ignored = (): string => {
    const data = Float64Array.of(e.int('ignore_index', -1));
    return e.op('Equal', [at, e.array({ dtype: e.dtype(target) ?? 'int64', shape: [], data })]);
  };
  const hit = e.has('ignore_index') ? e.op('And', [match, e.op('Not', [ignored()])]) : match;
  const pick = (v: string): string =>
    e.op('ReduceSum', [e.op('Where', [hit, v, e.real(0)]), e.whole([1])], { keepdims: 0 });
  const weighted = e.given(weight);
  const weights = weighted ? e.reshape(e.input(weight), column) : e.real(new Float64Array(classes).fill(1), column);
  const loss = e.op('Neg', [pick(weighted ? e.op('Mul', [x, weights]) : x)]);
  const sum = (v: string): string => e.op('ReduceSum', [v], { keepdims: 0 });
  const even = !weighted && !e.has('ignore_index');
  if (reduction === 'none') e.set(o, loss);
  else if (reduction === 'sum') e.give(o, 'ReduceSum', [loss], { keepdims: 0 });
  else if (even) e.give(o, 'ReduceMean', [loss], { keepdims: 0 });
  else e.give(o, 'Div', [sum(loss), sum(pick(weights))]);
}

const NegativeLogLikelihoodLoss: Expand = (e) => negativeLog(e, e.input(0), e.shape(0), 1, 2, 0);

const SoftmaxCrossEntropyLoss: Expand = (e) => {
  const logs = e.op('LogSoftmax', [e.input(0)], { axis: 1 });
  negativeLog(e, logs, e.shape(0), 1, 2, 0);
  e.set(1, logs);
};

/** Reductions of functions, and losses. */
export const REDUCE: Readonly<Record<string, Expand>> = {
  NegativeLogLikelihoodLoss,
  ReduceL1,
  ReduceL2,
  ReduceLogSum,
  ReduceLogSumExp,
  ReduceSumSquare,
  SoftmaxCrossEntropyLoss,
};
