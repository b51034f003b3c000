/** The wasm kernels of pairs, reductions, gathers and resizes against the reference, at boundaries and ragged shapes. */
import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/core/tensor.ts';
import { agree, type Operand, Random, Refused, stageFor } from './wasm-harness.ts';

const ANY = ['i8', 'i16', 'i32', 'bool'] as const;
const NUMBERS = ['i8', 'i16', 'i32'] as const;

/** A shape of up to rank 8 whose last dims are now and then long; every ninth may hold a 0. */
function shapeOf(r: Random, i: number): number[] {
  const rank = r.int(0, i % 7 === 0 ? 8 : 4);
  return Array.from({ length: rank }, (_, k) =>
    k === rank - 1 && rank < 5
      ? r.pick([1, 2, 3, 7, 8, 9, 15, 16, 17, 40])
      : r.pick(i % 9 === 0 ? [0, 1, 2] : [1, 2, 3]),
  );
}

/** A shape that broadcasts with `shape`. */
function side(r: Random, shape: readonly number[]): number[] {
  return shape.slice(r.int(0, 3) === 0 ? r.int(0, shape.length) : 0).map((d) => r.pick([d, d, d, 1]));
}

/** All of a dtype, with a zero point where it has one. */
function full(r: Random, dtype: DType, shape: readonly number[], zp = r.pick([-128, 127, 0, 7])): Operand {
  return r.tensor(dtype, shape, dtype === 'i8' ? { zp } : {});
}

describe('pairs', () => {
  test('mul, staged and raw', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(3000 + i);
      const shape = shapeOf(r, i);
      const [ta, tb] = [r.pick(['i8', 'i16'] as const), r.pick(['i8', 'i16'] as const)];
      const reach = (ta === 'i8' ? 255 : 32768) * (tb === 'i8' ? 255 : 32768);
      const stage = r.int(0, 2) === 0 ? {} : { stage: stageFor(r, r.pick(['i8', 'i16'] as const), reach, 1) };
      await agree('mul', [full(r, ta, side(r, shape)), full(r, tb, shape)], stage);
    }
    const low = { dtype: 'i16' as const, shape: [9], data: new Int16Array(9).fill(-32768) };
    await agree('mul', [low, low], {});
    await agree('mul', [low, low], {
      stage: { m: Int32Array.of(131072), l: 0, dtype: 'i16', zp: 0, lo: -32768, hi: 32767 },
    });
  });
  test('min and max', async () => {
    for (let i = 0; i < 160; i++) {
      const r = new Random(3300 + i);
      const shape = shapeOf(r, i);
      const dtype = r.pick(NUMBERS);
      const zp = r.pick([-128, 127, 0]);
      for (const op of ['min', 'max'] as const)
        await agree(op, [full(r, dtype, shape, zp), full(r, dtype, side(r, shape), zp)], {});
    }
  });
  test('compare of every kind', async () => {
    for (let i = 0; i < 240; i++) {
      const r = new Random(3600 + i);
      const shape = shapeOf(r, i);
      const operand = (s: readonly number[]): Operand => {
        const dtype = r.pick(NUMBERS);
        const span = r.pick([{ lo: -2, hi: 2 }, dtype === 'i32' ? { lo: -65000, hi: 65000 } : {}]);
        return r.tensor(dtype, s, { ...span, ...(dtype === 'i8' ? { zp: r.pick([-128, 127, 0, 1]) } : {}) });
      };
      const [ma, mb] = r.pick([
        [1, 1],
        [1, -1],
        [3, 7],
        [32767, 2],
        [5, -32767],
      ] as const);
      const op = r.pick(['lt', 'le', 'gt', 'ge', 'eq', 'ne']);
      await agree('compare', [operand(side(r, shape)), operand(shape)], { op, ma, mb });
    }
    const ends = {
      dtype: 'i32' as const,
      shape: [5],
      data: Int32Array.of(-2147483647, 2147483647, 0, -1, 1),
      lo: -2147483647,
    };
    for (const op of ['lt', 'le', 'gt', 'ge', 'eq', 'ne'])
      await agree('compare', [{ ...ends, shape: [5, 1] }, ends], { op, ma: 1, mb: -1 });
  });
  test('logical', async () => {
    for (let i = 0; i < 100; i++) {
      const r = new Random(3900 + i);
      const shape = shapeOf(r, i);
      const op = r.pick(['and', 'or', 'xor', 'not']);
      await agree(
        'logical',
        [r.tensor('bool', op === 'not' ? shape : side(r, shape)), op === 'not' ? undefined : r.tensor('bool', shape)],
        { op },
      );
    }
  });
  test('where', async () => {
    for (let i = 0; i < 160; i++) {
      const r = new Random(4100 + i);
      const shape = shapeOf(r, i);
      const dtype = r.pick(ANY);
      const zp = r.pick([-128, 0]);
      const branches = [full(r, dtype, side(r, shape), zp), full(r, dtype, side(r, shape), zp)];
      await agree('where', [r.tensor('bool', side(r, shape)), ...branches], {});
      await agree('where', [r.tensor('bool', shape), ...branches], {});
    }
  });
});

describe('reductions', () => {
  /** Ascending axes, none of which is empty unless `empty`. */
  function axesOf(r: Random, shape: readonly number[], empty = false): number[] {
    return shape.map((_, k) => k).filter((k) => (empty || shape[k]! > 0) && r.int(0, 1) === 1);
  }
  test('sums and means', async () => {
    for (let i = 0; i < 300; i++) {
      const r = new Random(4300 + i);
      const shape = shapeOf(r, i);
      const dtype = r.pick(['i8', 'i16', 'bool'] as const);
      const x = full(r, dtype, shape);
      const axes = axesOf(r, shape, true);
      const n = axes.reduce((p, k) => p * shape[k]!, 1);
      const s = stageFor(r, r.pick(['i8', 'i16'] as const), Math.max(1, n) * (dtype === 'i8' ? 255 : 32768), 1) as {
        l: number;
        m: Int32Array;
      };
      await agree('reduce_sum', [x], r.int(0, 1) === 1 ? { axes } : { axes, stage: s });
      if (n === 0 || dtype === 'bool') continue;
      const { l, m, ...output } = s;
      await agree('reduce_mean', [x], { axes, m1: m[0], l, output });
    }
  });
  test('global average pooling and long rows', async () => {
    for (const [shape, axes] of [
      [
        [1, 7, 7, 67],
        [1, 2],
      ],
      [
        [2, 5, 4, 8],
        [1, 2],
      ],
      [[3, 1000], [1]],
      [[1000, 3], [0]],
      [[4099], [0]],
      [
        [2, 3, 5, 7],
        [0, 2],
      ],
      [
        [2, 3, 5, 7],
        [1, 3],
      ],
      [
        [3, 1, 9, 1],
        [0, 1, 2, 3],
      ],
      [[2, 3], []],
    ] as const) {
      const r = new Random(shape.length);
      for (const dtype of ['i8', 'i16'] as const) {
        await agree('reduce_sum', [full(r, dtype, shape)], { axes });
        await agree('reduce_sum', [r.tensor(dtype, shape, { hi: dtype === 'i8' ? -128 : -32768 })], { axes });
      }
      for (const dtype of ANY) {
        await agree('reduce_max', [full(r, dtype, shape)], { axes });
        await agree('reduce_min', [full(r, dtype, shape)], { axes });
      }
    }
  });
  test('sums whose raw value leaves an int32 while the centred one does not', async () => {
    const x = {
      dtype: 'i8' as const,
      shape: [1, 17000000],
      data: new Int8Array(17000000).fill(127),
      zp: 127,
      lo: 127,
      hi: 127,
    };
    await agree('reduce_sum', [x], { axes: [1] });
  });
  test('extrema', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(4700 + i);
      const shape = shapeOf(r, i);
      const x = full(r, r.pick(ANY), shape);
      const axes = axesOf(r, shape);
      await agree('reduce_max', [x], { axes });
      await agree('reduce_min', [x], { axes });
    }
  });
  test('argmin', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(4900 + i);
      const shape = Array.from({ length: r.int(1, 4) }, () => r.int(1, 6));
      const x = r.tensor(r.pick(NUMBERS), shape, r.int(0, 1) ? { lo: -1, hi: 1 } : {});
      await agree('argmin', [x], { axis: r.int(0, shape.length - 1), select_last: r.int(0, 1) === 1 });
    }
  });
});

describe('copies', () => {
  test('gather of every run length', async () => {
    for (let n = 0; n < 40; n++) {
      const r = new Random(5000 + n);
      const x = r.tensor('i8', [2, 5, n]);
      await agree('gather', [x, r.tensor('i32', [7], { lo: 0, hi: 4 })], { axis: 1 });
    }
    for (let i = 0; i < 120; i++) {
      const r = new Random(5100 + i);
      const shape = Array.from({ length: r.int(1, 5) }, () => r.int(1, 5));
      const axis = r.int(0, shape.length - 1);
      const indices = r.tensor(
        'i32',
        Array.from({ length: r.int(0, 3) }, () => r.int(i % 9 === 0 ? 0 : 1, 3)),
        { lo: 0, hi: shape[axis]! - 1, constant: i % 2 === 0 },
      );
      await agree('gather', [r.tensor(r.pick(ANY), shape), indices], { axis });
    }
  });
  test('expand and tile up to rank 8', async () => {
    for (let i = 0; i < 150; i++) {
      const r = new Random(5300 + i);
      const shape = shapeOf(r, i);
      const from = side(r, shape);
      await agree('expand', [r.tensor(r.pick(ANY), from)], { shape });
      const repeats = shape.map(() => r.int(i % 8 === 0 ? 0 : 1, shape.length > 5 ? 2 : 3));
      await agree('tile', [r.tensor(r.pick(ANY), shape)], { repeats });
    }
  });
  test('blocks of pixels', async () => {
    for (let i = 0; i < 100; i++) {
      const r = new Random(5500 + i);
      const block = r.int(1, 4);
      const [n, h, w, c] = [r.int(i % 9 === 0 ? 0 : 1, 2), r.int(1, 3), r.int(1, 4), r.int(1, 17)];
      const dtype = r.pick(ANY);
      for (const mode of ['DCR', 'CRD'])
        await agree('depth_to_space', [r.tensor(dtype, [n, h, w, c * block * block])], { block, mode });
      await agree('space_to_depth', [r.tensor(dtype, [n, h * block, w * block, c])], { block });
    }
  });
});

describe('resizes', () => {
  /** Positions of the usual modes and of none of them: (A, B, D). */
  function axis(r: Random, extent: number, out: number): number[] {
    return r.pick([
      [2 * extent, extent - out, 2 * out],
      [extent, 0, out],
      [out === 1 ? 0 : extent - 1, 0, out === 1 ? 1 : out - 1],
      [r.int(-9, 9), r.int(-20, 20), r.int(1, 9)],
      [r.int(-2, 2), r.pick([-2147483600, 2147483600]), 2147483647],
    ]);
  }
  test('nearest', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(5700 + i);
      const [h, w, oh, ow] = [r.int(1, 7), r.int(1, 7), r.int(1, 12), r.int(1, 12)];
      const x = r.tensor(r.pick(ANY), [r.int(1, 2), h, w, r.pick([0, 1, 3, 4, 8, 15, 16, 17, 33])]);
      await agree('resize_nearest', [x], { axis_y: axis(r, h, oh), axis_x: axis(r, w, ow), out: [oh, ow] });
    }
  });
  test('bilinear', async () => {
    let done = 0;
    for (let i = 0; done < 200; i++) {
      const r = new Random(5900 + i);
      const [h, w, oh, ow] = [r.int(1, 6), r.int(1, 6), r.int(1, 11), r.int(1, 11)];
      const dtype = r.pick(['i8', 'i16'] as const);
      const x = full(r, dtype, [r.int(1, 2), h, w, r.pick([1, 2, 3, 7, 8, 9, 16, 17])]);
      const reach = dtype === 'i8' ? 255 * 2 ** 20 : 2 ** 30;
      const stage = { ...stageFor(r, r.pick(['i8', 'i16'] as const), reach, 1) };
      try {
        await agree('resize_bilinear', [x], { axis_y: axis(r, h, oh), axis_x: axis(r, w, ow), out: [oh, ow], stage });
        done++;
      } catch (e) {
        if (!(e instanceof Refused)) throw e;
      }
    }
    expect(done).toBe(200);
  });
});
