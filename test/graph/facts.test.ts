/** The figures that the rules prove of a node and kernels rely on, worked out by hand from spec/10-ops.md. */
import { describe, expect, it } from 'vitest';
import type { Graph, Node } from '../../src/graph/ir.ts';
import { load, unary } from '../support/small.ts';

const i8 = { dtype: 'i8', zp: 0, lo: -128, hi: 127 };
const i16 = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
type Input = Partial<Graph['inputs'][number]>;

function constant(dtype: 'i8' | 'i16' | 'i32', shape: readonly number[], values: readonly number[], zp = 0) {
  const make = { i8: Int8Array, i16: Int16Array, i32: Int32Array }[dtype];
  return { dtype, shape, zp, data: make.from(values) };
}

function facts(op: Node['op'], attrs: Node['attrs'], input: Input, constants: Graph['constants'] = []) {
  return load(unary({ op, attrs }, input, [...constants])).info[0]!.facts;
}

describe('bound A, accumulator interval, greatest weight', () => {
  const w = [1, -2, 3, -4, 5, -6];
  it('dense: X = 129, A = 8 + 15·129', () => {
    const list = [constant('i8', [2, 3], w), constant('i32', [2], [7, -8])];
    const got = facts('dense', { block: 0 }, { shape: [2, 3], zp: 1 }, list);
    // row 1: −8 + 5·[−129, 126] − 10·[−129, 126]
    expect(got).toEqual({ bound: 1943, accLo: -1913, accHi: 1912, maxWeight: 6 });
  });

  it('dense: the first of several rows may have the greatest figures', () => {
    const list = [constant('i8', [2, 1], [-128, 1]), constant('i32', [2], [5, 0])];
    expect(facts('dense', { block: 0 }, { shape: [1], lo: 0, hi: 3 }, list)).toEqual({
      bound: 389,
      accLo: -379,
      accHi: 5,
      maxWeight: 128,
    });
  });

  it('dense: block scales multiply the products, not the greatest weight', () => {
    const list = [
      { dtype: 'i4' as const, shape: [1, 3], zp: 0, data: Int8Array.of(0x78, 0x02) }, // −8, 7, 2
      constant('i32', [1], [1]),
      constant('i8', [1, 1], [-118], -128), // 10
    ];
    // 1 + 10·(9·[−2, 3] − 8·[−2, 3]); A = 1 + 170·3
    expect(facts('dense', { block: 16 }, { shape: [3], lo: -2, hi: 3 }, list)).toEqual({
      bound: 511,
      accLo: -419,
      accHi: 431,
      maxWeight: 8,
    });
  });

  it('conv2d: padding joins 0 to the taps', () => {
    const attrs = { strides: [1, 1], dilations: [1, 1], groups: 1 };
    const list = [constant('i8', [1, 1, 1, 2], [3, -1]), constant('i32', [1], [10])];
    const input = { shape: [1, 2, 2, 2], lo: 100, hi: 120 };
    expect(facts('conv2d', { ...attrs, pads: [0, 0, 0, 0] }, input, list)).toEqual({
      bound: 490,
      accLo: 190,
      accHi: 270,
      maxWeight: 3,
    });
    expect(facts('conv2d', { ...attrs, pads: [0, 0, 1, 0] }, input, list)).toEqual({
      bound: 490,
      accLo: -110,
      accHi: 370,
      maxWeight: 3,
    });
  });

  it('matmul: A = min(K·X(a), R)·X(b)', () => {
    const g = unary({ op: 'matmul', attrs: { tb: false } }, { shape: [1, 3], lo: -5, hi: 2 });
    g.inputs.push({ name: 'b', dtype: 'i8', shape: [3, 1], zp: 0, lo: -1, hi: 7 });
    g.nodes[0] = { ...g.nodes[0]!, inputs: [0, 1] };
    g.outputs[0] = { name: 'y', tensor: 2 };
    expect(load(g).info[0]!.facts).toEqual({ bound: 105, accLo: -105, accHi: 105 });
  });

  it('rescale, avg_pool2d, linear2', () => {
    const stage = { l: 0, m: Int32Array.of(5), ...i8 };
    expect(facts('rescale', { stage }, { zp: 3, lo: -10, hi: 90 })).toEqual({ bound: 87, accLo: -13, accHi: 87 });
    const window = { kernel: [2, 3], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], overhang: [0, 0] };
    const pool = { ...window, include_pad: false, m1: 9, l: 0, output: i8 };
    expect(facts('avg_pool2d', pool, { shape: [1, 3, 3, 1], lo: 2, hi: 9 })).toEqual({
      bound: 54,
      accLo: 2,
      accHi: 54,
    });
    // |−3|·10 + |zp|·2^4 + 2^3
    const attrs = { ma: -3, mb: 0, s: 4, output: { ...i8, zp: -6 } };
    expect(facts('linear2', attrs, { lo: -10, hi: 4 })).toEqual({ bound: 134 });
    expect(facts('linear2', { ...attrs, s: 0 }, { lo: -10, hi: 4 })).toEqual({ bound: 36 });
  });

  it('lstm: the greater bound of both products', () => {
    const table = constant('i16', [513], new Array<number>(513).fill(3));
    const make = (wx: number, wh: number) => {
      const g = unary({ op: 'lstm', attrs: {} }, { shape: [1, 1, 2], lo: -5, hi: 4 }, [
        constant('i8', [4, 2], [wx, wx, 0, 0, 0, 0, 0, 1]),
        constant('i8', [4, 1], [0, 0, 0, wh]),
        constant('i32', [4], [0, -7, 0, 0]),
      ]);
      const attrs = {
        mx: Int32Array.of(9),
        lx: 0,
        mh: Int32Array.of(9),
        lh: 0,
        kc: 0,
        qh: 7,
        lo: -20,
        hi: 30,
        reverse: false,
      };
      g.inputs.push({ name: 'h', dtype: 'i8', shape: [1, 1], zp: 0, lo: -40, hi: 3 });
      g.inputs.push({ name: 'c', dtype: 'i16', shape: [1, 1], zp: 0, lo: -9, hi: 9 });
      g.constants.push(table);
      g.nodes[0] = { op: 'lstm', inputs: [0, 3, 4, 5, 1, 2, 6, 6, 6], attrs };
      g.outputs[0] = { name: 'y', tensor: 7 };
      return load(g).info[0]!.facts;
    };
    expect(make(100, 1)).toEqual({ bound: 1000 }); // 200·5
    expect(make(1, -100)).toEqual({ bound: 4000 }); // 100·40, h0 reaches below lo
  });
});

describe('rows', () => {
  it('softmax: the greatest length of a row and its weight bits', () => {
    const attrs = { l: 0, m: 5, o: 15, output: { ...i16, lo: 0 }, causal: false, offset: 0 };
    for (const [k, bits] of [
      [1, 22],
      [511, 22],
      [512, 21],
      [1023, 21],
      [1024, 20],
    ] as const) {
      expect(facts('softmax', attrs, { shape: [1, k] })).toEqual({ kmax: k, weightBits: bits });
    }
    const g = unary({ op: 'softmax', attrs }, { shape: [1, { c: 0, k: [1] }] });
    g.symbols.push({ name: 'n', min: 1, max: 512 });
    expect(load(g).info[0]!.facts).toEqual({ kmax: 512, weightBits: 21 });
  });

  it('layer_norm: fraction bits, and the reach of x', () => {
    const attrs = { eps: 1n, g: 0, output: i8 };
    const list = [constant('i32', [2], [1, 2]), constant('i32', [2], [3, 4])];
    expect(facts('layer_norm', attrs, { shape: [2], zp: 9, lo: -20, hi: 30 }, list)).toEqual({
      fraction: 6,
      bound: 29,
    });
    expect(facts('layer_norm', attrs, { dtype: 'i16', shape: [2], lo: -7, hi: 31 }, list)).toEqual({
      fraction: 0,
      bound: 31,
    });
  });

  it('moves and tables prove no figures', () => {
    expect(facts('reshape', { shape: [6] }, {})).toEqual({});
    expect(facts('transpose', { perm: [1, 0] }, {})).toEqual({});
    expect(facts('argmax', { axis: 0, select_last: false }, {})).toEqual({});
  });
});
