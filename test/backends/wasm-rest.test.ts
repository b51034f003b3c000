/** The wasm kernels of quotients, norms, running sums and logarithms against the reference, at boundaries and ragged shapes. */
import { describe, test } from 'vitest';
import type { DType } from '../../src/core/tensor.ts';
import { agree, type Operand, Random, stageFor } from './wasm-harness.ts';

const SHORT = ['i8', 'i16'] as const;

function full(r: Random, dtype: DType, shape: readonly number[], zp = r.pick([-128, 127, 0, 7])): Operand {
  return r.tensor(dtype, shape, dtype === 'i8' ? { zp } : {});
}

function output(r: Random): { dtype: DType; zp: number; lo: number; hi: number } {
  const dtype = r.pick(SHORT);
  const [lo, hi] = dtype === 'i8' ? [-128, 127] : [-32768, 32767];
  return {
    dtype,
    zp: dtype === 'i8' ? r.pick([-128, 127, 0, 5]) : 0,
    lo: lo + r.pick([0, 0, 9]),
    hi: hi - r.pick([0, 0, 7]),
  };
}

describe('quotients', () => {
  test('div of all that broadcasts', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(6000 + i);
      const shape = [r.int(1, 3), r.int(1, 3), r.pick([1, 2, 7, 8, 9, 17, 70])];
      const part = shape.map((d) => r.pick([d, d, 1]));
      const narrow = r.pick([{}, { lo: -2, hi: 2 }]);
      const [p, q] = r.pick([
        [1, 1],
        [65535, 1],
        [1, 65535],
        [65535, 65534],
        [7, 3],
      ] as const);
      const a = full(r, r.pick(SHORT), r.pick([shape, part]));
      await agree('div', [a, r.tensor(r.pick(SHORT), shape, narrow)], { p, q, output: output(r) });
    }
  });
  test('every i8 by every i8', async () => {
    const all = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    const column = { dtype: 'i8' as const, shape: [256, 1], data: all };
    for (const [p, q, zp] of [
      [1, 1, 0],
      [127, 2, -128],
      [5, 9, 127],
    ] as const)
      for (const dtype of SHORT) {
        const [lo, hi] = dtype === 'i8' ? [-128, 127] : [-32768, 32767];
        const row = { dtype: 'i8' as const, shape: [256], zp, data: all };
        await agree('div', [column, row], { p, q, output: { dtype, zp: dtype === 'i8' ? zp : 0, lo, hi } });
      }
  });
});

describe('running sums', () => {
  test('cumsum along every axis', async () => {
    for (let i = 0; i < 160; i++) {
      const r = new Random(6300 + i);
      const shape = Array.from({ length: r.int(1, 4) }, () => r.pick([1, 2, 3, 7, 8, 9, 17]));
      const axis = r.int(0, shape.length - 1);
      const dtype = r.pick(['i8', 'i16', 'i32'] as const);
      const x = dtype === 'i32' ? r.tensor('i32', shape, { lo: -100000000, hi: 100000000 }) : full(r, dtype, shape);
      for (const exclusive of [false, true])
        for (const reverse of [false, true]) await agree('cumsum', [x], { axis, exclusive, reverse });
    }
  });
});

describe('rows', () => {
  test('log_softmax', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(6600 + i);
      const dtype = r.pick(SHORT);
      const shape = [r.int(1, 3), r.pick([1, 2, 3, 4, 5, 8, 15, 16, 17, 70, 257])];
      const l = dtype === 'i8' ? r.int(0, 22) : r.int(0, 14);
      const stage = stageFor(r, r.pick(SHORT), 2 ** r.int(21, 30), 1);
      const x = r.pick([full(r, dtype, shape), r.tensor(dtype, shape, { lo: -3, hi: 4 })]);
      try {
        await agree('log_softmax', [x], { l, m: l > 0 ? r.int(1073741824, 2147483647) : r.int(0, 2147483647), stage });
      } catch (e) {
        if (!(e as Error).message.startsWith('Overflow')) throw e;
      }
    }
  });
  const channels = (r: Random, n: number): Operand[] => {
    const reach = r.pick([1 << 20, 1 << 28, 2147483647]);
    const end = r.pick([1 << 12, 1073741823]);
    return [
      r.tensor('i32', [n], { lo: -reach, hi: reach, constant: true }),
      r.tensor('i32', [n], { lo: -end, hi: end, constant: true }),
    ];
  };
  const attrs = (r: Random) => ({
    eps: r.pick([1n, 12345n, 2n ** 33n + 1n, 2n ** 48n - 1n]),
    g: r.int(0, 16),
    output: output(r),
  });
  test('layer_norm and rms_norm', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(6900 + i);
      const n = r.pick([1, 2, 3, 4, 7, 8, 9, 16, 17, 33, 300]);
      const x = r.pick([full(r, r.pick(SHORT), [r.int(1, 4), n]), r.tensor('i16', [2, n], { lo: 32766, hi: 32767 })]);
      for (const op of ['layer_norm', 'rms_norm'] as const) await agree(op, [x, ...channels(r, n)], attrs(r));
    }
  });
  test('group_norm of wide and of narrow groups', async () => {
    for (let i = 0; i < 250; i++) {
      const r = new Random(7200 + i);
      const [width, groups] = [r.pick([1, 1, 2, 3, 5, 7, 8, 9, 16, 17]), r.pick([1, 2, 3, 7, 8, 9, 17])];
      const c = width * groups;
      const shape = [r.int(1, 2), r.int(1, 5), r.int(1, 5), c];
      const x = r.pick([full(r, r.pick(SHORT), shape), r.tensor('i16', shape, { lo: -32768, hi: -32767 })]);
      await agree('group_norm', [x, ...channels(r, c)], { ...attrs(r), groups });
    }
  });
  test('the longest row', async () => {
    for (const [shape, groups] of [
      [[1, 256, 256, 1], 1],
      [[1, 64, 64, 16], 1],
      [[1, 128, 128, 8], 2],
    ] as const) {
      const r = new Random(7500);
      const data = new Int16Array(shape.reduce<number>((n, d) => n * d, 1)).fill(-32768);
      for (const x of [{ dtype: 'i16' as const, shape, data }, full(r, 'i16', shape)])
        await agree('group_norm', [x, ...channels(r, shape[3])], { ...attrs(r), groups });
    }
  });
});
