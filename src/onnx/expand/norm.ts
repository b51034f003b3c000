/**
 * Normalisations as rows of a LayerNormalization, or by means and powers.
 * @module
 */
import type { Expand, Expansion } from './context.ts';

function product(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** [1, C, 1, …] for factors per channel of a tensor of `rank`. */
function perChannel(e: Expansion, i: number, rank: number): string {
  const n = e.shape(i)[0]!;
  return e.reshape(e.input(i), [1, n, ...new Array<number>(rank - 2).fill(1)]);
}

/** Each of `groups` runs of channels less its mean, over its deviation; then scale and bias per channel. */
function grouped(e: Expansion, groups: number): void {
  const shape = e.shape(0);
  const eps = e.float('epsilon', Math.fround(1e-5));
  const rows = [shape[0]!, groups, product(shape.slice(1)) / groups];
  if (!Number.isInteger(rows[2])) e.fail('BadGraph', `${shape[1]} channels do not make ${groups} groups`);
  const one = e.real(new Float64Array(rows[2]!).fill(1));
  const y = e.op('LayerNormalization', [e.reshape(e.input(0), rows), one], { axis: -1, epsilon: { float: eps } });
  const scaled = e.op('Mul', [e.reshape(y, shape), perChannel(e, 1, shape.length)]);
  e.give(0, 'Add', [scaled, perChannel(e, 2, shape.length)]);
}

const InstanceNormalization: Expand = (e) => grouped(e, e.shape(0)[1]!);

const GroupNormalization: Expand = (e) => {
  if (e.opset < 21) e.fail('UnsupportedForm', 'before opset 21 scale and bias have one value a group');
  grouped(e, e.int('num_groups', 1));
};

const LpNormalization: Expand = (e) => {
  const axis = e.int('axis', -1);
  const norm = e.op(e.int('p', 2) === 1 ? 'ReduceL1' : 'ReduceL2', [e.input(0), e.whole([axis])]);
  e.give(0, 'Div', [e.input(0), e.op('Max', [norm, e.real(1e-30)])]); // a row of zeros stays one
};

const MeanVarianceNormalization: Expand = (e) => {
  const axes = e.whole([...(e.list('axes') ?? [0, 2, 3])]);
  const centred = e.op('Sub', [e.input(0), e.op('ReduceMean', [e.input(0), axes])]);
  const variance = e.op('ReduceMean', [e.op('Mul', [centred, centred]), axes]);
  e.give(0, 'Div', [centred, e.op('Add', [e.op('Sqrt', [variance]), e.real(1e-9)])]);
};

/** Sums over neighbouring channels are an average pool over channels as rows. */
const LRN: Expand = (e) => {
  const shape = e.shape(0);
  const size = e.int('size', 1);
  const [alpha, beta, bias] = [e.float('alpha', Math.fround(1e-4)), e.float('beta', 0.75), e.float('bias', 1)];
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const rows = e.reshape(e.op('Mul', [e.input(0), e.input(0)]), [shape[0]!, 1, shape[1]!, product(shape.slice(2))]);
  const window = { kernel_shape: [size, 1], pads: [before, 0, after, 0], count_include_pad: 1 };
  const mean = e.reshape(e.op('AveragePool', [rows], window), shape);
  const base = e.op('Add', [e.op('Mul', [mean, e.real(alpha)]), e.real(bias)]);
  e.give(0, 'Mul', [e.input(0), e.op('Pow', [base, e.real(-beta)])]);
};

/** The p-th root of sums of p-th powers over a window, as an average times its taps. */
const LpPool: Expand = (e) => {
  const p = e.int('p', 2);
  const kernel = e.list('kernel_shape') ?? e.fail('BadGraph', 'kernel_shape is missing');
  const rank = kernel.length;
  const window: Record<string, number | string | readonly number[]> = { kernel_shape: kernel, count_include_pad: 1 };
  for (const name of ['strides', 'dilations', 'pads']) if (e.has(name)) window[name] = e.list(name)!;
  window['ceil_mode'] = e.int('ceil_mode', 0);
  window['auto_pad'] = e.string('auto_pad', 'NOTSET');
  if (window['ceil_mode'] !== 0 || (window['auto_pad'] !== 'NOTSET' && rank > 0))
    e.fail('UnsupportedForm', 'ceil_mode and auto_pad are not supported');
  const powers = e.op('Pow', [e.op('Abs', [e.input(0)]), e.real(p)]);
  const sums = e.op('Mul', [e.op('AveragePool', [powers], window), e.real(product(kernel))]);
  e.give(0, 'Pow', [sums, e.real(1 / p)]);
};

/** Normalisations and norms. */
export const NORM: Readonly<Record<string, Expand>> = {
  GroupNormalization,
  InstanceNormalization,
  LRN,
  LpNormalization,
  LpPool,
  MeanVarianceNormalization,
};
