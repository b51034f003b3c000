/** test/golden/ops/intervals.json: the output interval of every op of the registry. */
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/core/tensor.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { readGolden } from '../golden.ts';
import { type NodeCase, prove, type Tensor, typeOf } from './node.ts';

// biome-ignore lint/suspicious/noExplicitAny: attributes of many shapes; a wrong one fails its comparison
type Json = any;
type Ends = readonly [lo: number, hi: number];
interface Case {
  readonly op: string;
  readonly attrs: Json;
  readonly inputs: Readonly<Record<string, Ends>>;
  readonly expected: { readonly acc?: readonly Ends[]; readonly y: Ends };
}

/** A type without elements: the least dtype that holds the interval, i8 where there is a zero point. */
function type(shape: readonly number[], [lo, hi]: Ends, zp = 0, dtype?: DType, rowSum?: number): Tensor {
  const fits = (bits: number): boolean => lo >= -(2 ** (bits - 1)) && hi < 2 ** (bits - 1);
  return {
    dtype: dtype ?? (zp !== 0 || fits(8) ? 'i8' : fits(16) ? 'i16' : 'i32'),
    shape,
    zp,
    lo,
    hi,
    ...(rowSum === undefined ? {} : { rowSum }),
  };
}

function constant(dtype: DType, shape: readonly number[], data: readonly number[], zp = 0): Tensor {
  return { dtype, shape, data, zp, const: true };
}

function output({ zp, lo, hi }: Json) {
  return { dtype: lo >= -128 && hi <= 127 ? 'i8' : 'i16', zp: zp ?? 0, lo, hi };
}

function staged(a: Json) {
  return a.stage ? { stage: { m: a.stage.m, l: a.stage.l, ...output(a.stage) } } : {};
}

const geometry = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

const pair = (i: Case['inputs']): Tensor[] => [type([1], i.a!), type([1], i.b!)];
const BIT: Ends = [0, 1];
const UNIT = { axis_y: [1, 0, 1], axis_x: [1, 0, 1], out: [1, 1] };

/** A reduction of n[0]…n[1] elements: of a symbolic axis where they differ. */
function reduction(a: Json, x: Ends, more: object): Omit<NodeCase, 'op'> {
  const [least, most] = a.n as Ends;
  const operands = [type([most], x, a.zx)];
  return { attrs: { axes: [0], ...more }, operands, lastMax: least === most ? undefined : most };
}

/** The node of a case and which of its outputs the case speaks of. */
const MAKE: Readonly<Record<string, (a: Json, i: Case['inputs']) => Omit<NodeCase, 'op'>>> = {
  linear2: (a, i) => ({
    attrs: { ma: a.ma, mb: a.mb, s: a.s, output: output(a) },
    operands: [type([1], i.a!, a.za), type([1], i.b!, a.zb)],
  }),
  matmul: (a, i) => ({
    attrs: { tb: false, ...staged(a) },
    operands: [type([1, a.K], i.a!, 0, undefined, a.R), type([a.K, 1], i.b!)],
  }),
  rescale: (a, i) => ({ attrs: staged(a), operands: [type([a.stage.m.length], i.x!, a.zx)] }),
  dense: (a, i) => {
    const k = a.w[0].length;
    return {
      attrs: { block: 0, ...staged(a) },
      operands: [
        type([k], i.x!, a.zx),
        constant('i8', [a.w.length, k], a.w.flat()),
        constant('i32', [a.b.length], a.b),
      ],
    };
  },
  conv2d: (a, i) => {
    const shape = [a.w.length, a.w[0].length, a.w[0][0].length, a.w[0][0][0].length];
    const x = type([1, 1, 2, shape[3]!], i.x!, a.zx);
    return {
      attrs: { ...geometry, pads: a.pads, groups: 1, ...staged(a) },
      operands: [x, constant('i8', shape, a.w.flat(3)), constant('i32', [a.b.length], a.b)],
    };
  },
  avg_pool2d: (a, i) => ({
    attrs: { ...geometry, kernel: a.kernel, overhang: [0, 0], include_pad: false, m1: a.m1, l: a.l, output: output(a) },
    operands: [type([1, 4, 4, 1], i.x!, a.zx)],
  }),
  max_pool2d: (_, i) => ({
    attrs: { ...geometry, kernel: [1, 1], overhang: [0, 0] },
    operands: [type([1, 4, 4, 1], i.x!)],
  }),
  softmax: (a, i) => ({
    attrs: { l: a.l, m: a.m, o: a.o, output: output(a), causal: false, offset: 0 },
    operands: [type([2], i.x!)],
  }),
  layer_norm: (a, i) => ({
    attrs: { eps: 1, g: 0, output: output(a) },
    operands: [type([3], i.x!), constant('i32', [3], [1, 1, 1]), constant('i32', [3], [0, 0, 0])],
  }),
  lut8: (a, i) => ({ attrs: { zp: 0 }, operands: [type([1], i.x!), constant('i8', [256], a.table)] }),
  lut16: (a, i) => ({
    attrs: { s: a.s, output: output(a) },
    operands: [type([1], i.x!, 0, 'i16'), constant('i16', [513], a.table)],
  }),
  argmax: (a, i) => ({ attrs: { axis: 0, select_last: false }, operands: [type([a.n], i.x!)] }),
  argmin: (a, i) => ({ attrs: { axis: 0, select_last: false }, operands: [type([a.n], i.x!)] }),
  mul: (a, i) => ({ attrs: staged(a), operands: [type([1], i.a!, a.za), type([1], i.b!, a.zb)] }),
  min: (_, i) => ({ attrs: {}, operands: pair(i) }),
  max: (_, i) => ({ attrs: {}, operands: pair(i) }),
  compare: (_, i) => ({ attrs: { op: 'lt', ma: 1, mb: 1 }, operands: pair(i) }),
  logical: (_, i) => ({ attrs: { op: 'and' }, operands: [type([1], i.a!, 0, 'bool'), type([1], i.b!, 0, 'bool')] }),
  where: (_, i) => ({ attrs: {}, operands: [type([1], BIT, 0, 'bool'), ...pair(i)] }),
  reduce_sum: (a, i) => reduction(a, i.x!, staged(a)),
  reduce_mean: (a, i) => reduction(a, i.x!, { m1: a.m1, l: a.l, output: output(a) }),
  reduce_max: (_, i) => ({ attrs: { axes: [0] }, operands: [type([2], i.x!)] }),
  reduce_min: (_, i) => ({ attrs: { axes: [0] }, operands: [type([2], i.x!)] }),
  gather: (_, i) => ({ attrs: { axis: 0 }, operands: [type([2], i.x!), type([1], BIT, 0, 'i32')] }),
  expand: (_, i) => ({ attrs: { shape: [3] }, operands: [type([1], i.x!)] }),
  tile: (_, i) => ({ attrs: { repeats: [3] }, operands: [type([1], i.x!)] }),
  depth_to_space: (_, i) => ({ attrs: { block: 1, mode: 'CRD' }, operands: [type([1, 1, 1, 1], i.x!)] }),
  space_to_depth: (_, i) => ({ attrs: { block: 1 }, operands: [type([1, 1, 1, 1], i.x!)] }),
  resize_nearest: (_, i) => ({ attrs: UNIT, operands: [type([1, 2, 2, 1], i.x!)] }),
  resize_bilinear: (a, i) => ({
    attrs: { ...UNIT, ...staged(a) },
    operands: [type([1, 2, 2, 1], i.x!, a.zx, a.q === 14 ? 'i16' : 'i8')],
  }),
  div: (a, i) => ({
    attrs: { p: a.p, q: a.q, output: output(a) },
    operands: [type([1], i.a!), type([1], i.b!)],
  }),
  conv_transpose2d: (a, i) => {
    const shape = [a.w.length, a.w[0].length, a.w[0][0].length, a.w[0][0][0].length];
    const attrs = { ...geometry, strides: [2, 2], pads: a.pads, groups: 1, output_padding: [1, 1] };
    const x = type([1, 2, 2, shape[3]!], i.x!, a.zx);
    return { attrs, operands: [x, constant('i8', shape, a.w.flat(3)), constant('i32', [a.b.length], a.b)] };
  },
  rope: (a, i) => ({
    attrs: { step: [1], interleaved: false, position: 0, ...staged(a) },
    operands: [type([1, 2], i.x!, 0)],
  }),
  sample: (a, i) => ({
    attrs: { l: 0, m: 5, k: 0, p16: 65536 },
    operands: [type([a.V], i.x!), type([2], BIT, 0, 'i32'), type([1], BIT, 0, 'i32')],
  }),
  update: (_, i) => ({
    attrs: { axis: 0 },
    operands: [type([2], i.a!), type([1], i.b!), type([1], BIT, 0, 'i32')],
  }),
  nms: (a, i) => ({
    attrs: { t15: 5, threshold: 0, limit: a.limit },
    operands: [type([1, a.N, 4], i.boxes!, 0, 'i16'), type([1, 1, a.N], i.scores!)],
  }),
  cumsum: (a, i) => ({
    attrs: { axis: 0, exclusive: Boolean(a.exclusive), reverse: false },
    operands: [type([a.n], i.x!, a.zx)],
  }),
  log_softmax: (a, i) => ({ attrs: { l: a.l, m: a.m, ...staged(a) }, operands: [type([2], i.x!)] }),
  concat: (_, i) => ({ attrs: { axis: 0 }, operands: [type([1], i.a!), type([2], i.b!)] }),
  slice: (_, i) => ({ attrs: { start: [1], step: [1], size: [2] }, operands: [type([4], i.x!)] }),
  pad: (a, i) => {
    const vector = Array.isArray(a.value);
    const value =
      a.mode === 'constant' ? [constant('i8', vector ? [a.value.length] : [], vector ? a.value : [a.value])] : [];
    return {
      attrs: { before: [1, 0], after: [0, 0], mode: a.mode },
      operands: [type([2, vector ? a.value.length : 1], i.x!), ...value],
    };
  },
};

describe('intervals.json', () => {
  const cases = readGolden<Case[]>('ops', 'intervals');
  const isHere = (c: Case): boolean => MAKE[c.op] !== undefined && !(c.op === 'dense' && c.attrs.block === 1); // a block of 1 is no legal block
  it('every op of the registry that the file speaks of', () => {
    expect([...new Set(cases.map((c) => c.op))].filter((op) => op in OPS && MAKE[op] === undefined)).toEqual([]);
    expect([cases.length, cases.filter(isHere).length]).toEqual([97, 86]);
  });
  for (const op of Object.keys(MAKE)) {
    it(op, () => {
      for (const c of cases.filter((k) => k.op === op && isHere(k))) {
        const { bounds } = prove({ op: op as OpName, ...MAKE[op]!(c.attrs, c.inputs) });
        expect([bounds.y[0]!.lo, bounds.y[0]!.hi], JSON.stringify(c)).toEqual(c.expected.y);
        const acc = c.expected.acc;
        if (acc === undefined || bounds.facts?.accLo === undefined) continue;
        const hull = [Math.min(...acc.map((e) => e[0])), Math.max(...acc.map((e) => e[1]))];
        expect([bounds.facts.accLo, bounds.facts.accHi]).toEqual(hull);
      }
    });
  }
  it('constants', () => {
    for (const c of cases.filter((k) => k.op === 'constant')) {
      const { lo, hi } = typeOf(constant('i8', [c.attrs.values.length], c.attrs.values, c.attrs.zp));
      expect([lo, hi]).toEqual(c.expected.y);
    }
  });
});
