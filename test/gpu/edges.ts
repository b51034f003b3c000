/**
 * Nodes at the edges of tiles, words, levels and parts of a GPU backend, against the reference. They need nothing of Node, so
 * that a page runs them too.
 * @module
 */
import type { Backend } from '../../src/backends/backend.ts';
import { type DType, toBytes } from '../../src/core/tensor.ts';
import type { OpName } from '../../src/ops/index.ts';
import { agree, type Operand, planOf, Random, stageFor } from '../backends/wasm-harness.ts';

const I8_I16 = ['i8', 'i16'] as const;

/** The tests by name; each throws where a backend differs. */
export function edges(backend: Backend): Readonly<Record<string, () => Promise<void>>> {
  const tests: Record<string, () => Promise<void>> = {};
  const it = (name: string, test: () => Promise<void>): void => {
    tests[name] = test;
  };
  const check = (op: OpName, operands: readonly (Operand | undefined)[], attrs: Record<string, unknown>) =>
    agree(op, operands, attrs, backend);

  /** Raw, i8 and i16 outputs of an accumulator of a given reach. */
  function stages(r: Random, reach: number, channels: number): (Record<string, unknown> | undefined)[] {
    return [undefined, stageFor(r, 'i8', reach, channels), stageFor(r, 'i16', reach, channels)];
  }

  const SHAPES = [
    [1, 1, 1],
    [1, 3, 5],
    [8, 32, 64],
    [9, 33, 65],
    [63, 31, 4],
    [64, 64, 64],
    [65, 7, 130],
    [130, 129, 6],
    [257, 9, 30],
  ] as const;
  for (const [m, k, o] of SHAPES)
    it(`dense ${m}×${k}×${o}`, async () => {
      const r = new Random(m * 7 + k * 3 + o);
      for (const dtype of I8_I16) {
        const x = r.tensor(dtype, [m, k], dtype === 'i8' ? { zp: r.pick([-128, 0, 7]) } : { lo: -900, hi: 900 });
        const w = r.tensor('i8', [o, k], { constant: true });
        const b = r.tensor('i32', [o], { lo: -99999, hi: 99999, constant: true });
        const reach = 99999 + k * 128 * (dtype === 'i8' ? 255 : 900);
        for (const stage of stages(r, reach, o)) await check('dense', [x, w, b], stage === undefined ? {} : { stage });
      }
    });

  it('dense with i4 weights in blocks', async () => {
    const r = new Random(4);
    for (const [m, k, o] of [
      [1, 33, 6],
      [10, 64, 8],
    ] as const) {
      const x = r.tensor('i8', [m, k], { zp: 3 });
      const w: Operand = {
        dtype: 'i4',
        shape: [o, k],
        data: r.fill(new Int8Array((o * k + 1) >> 1), -128, 127),
        constant: true,
      };
      const u = r.tensor('i8', [o, Math.ceil(k / 16)], { lo: -127, hi: 127, zp: -128, constant: true });
      const b = r.tensor('i32', [o], { lo: -99, hi: 99, constant: true });
      await check('dense', [x, w, b, u], { block: 16 });
      await check('dense', [x, w, b, u], { block: 16, stage: stageFor(r, 'i8', 99 + k * 8 * 255 * 255, o) });
    }
  });

  for (const [m, k, n] of [
    [1, 4, 9],
    [9, 65, 3],
    [66, 5, 68],
  ] as const)
    it(`matmul ${m}×${k}×${n}, both orders, in batches`, async () => {
      const r = new Random(m + k + n);
      for (const [p, q] of [
        ['i8', 'i8'],
        ['i8', 'i16'],
        ['i16', 'i8'],
        ['i16', 'i16'],
      ] as const) {
        for (const tb of [false, true]) {
          const a = r.tensor(p, [2, 1, m, k], { lo: -120, hi: 127 });
          const b = r.tensor(q, [3, ...(tb ? [n, k] : [k, n])], { lo: -128, hi: 119 });
          for (const stage of stages(r, k * 128 * 128, 1))
            await check('matmul', [a, b], stage === undefined ? { tb } : { tb, stage });
        }
      }
    });

  it('conv2d: channels and groups that fill words and that do not', async () => {
    const r = new Random(9);
    for (const [c, o, groups] of [
      [3, 8, 1],
      [4, 5, 1],
      [8, 12, 2],
      [6, 9, 3],
      [8, 8, 8],
      [5, 5, 5],
      [4, 8, 4],
    ] as const) {
      for (const dtype of I8_I16) {
        const pads = r.pick([
          [0, 0, 0, 0],
          [1, 2, 0, 1],
        ]);
        const x = r.tensor(dtype, [2, 6, 7, c], dtype === 'i8' ? { zp: r.pick([-128, 127, 3]) } : {});
        const w = r.tensor('i8', [o, 3, 2, c / groups], { constant: true });
        const b = r.tensor('i32', [o], { lo: -9999, hi: 9999, constant: true });
        const attrs = { groups, pads, strides: [r.int(1, 2), r.int(1, 2)], dilations: [r.int(1, 2), 1] };
        const reach = 9999 + ((6 * c) / groups) * 128 * (dtype === 'i8' ? 255 : 32768);
        for (const stage of stages(r, reach, o))
          await check('conv2d', [x, w, b], stage === undefined ? attrs : { ...attrs, stage });
      }
    }
  });

  it('extremes: all −128, sums that wrap on the way', async () => {
    const constant = (dtype: DType, shape: number[], v: number): Operand => {
      const n = shape.reduce((p, d) => p * d, 1);
      const data = dtype === 'i32' ? new Int32Array(n) : new Int8Array(n);
      return { dtype, shape, data: data.fill(v), constant: true };
    };
    const x: Operand = { dtype: 'i8', shape: [9, 4096], zp: 127, data: new Int8Array(9 * 4096).fill(-128) };
    await check('dense', [x, constant('i8', [12, 4096], -128), constant('i32', [12], 1073741823)], {});
  });

  it('reductions of many levels', async () => {
    const r = new Random(5);
    for (const axes of [[0, 1, 2], [1], [0, 2], [2]]) {
      const x = r.tensor('i16', [5, 70, 31]);
      await check('reduce_sum', [x], { axes });
      await check('reduce_max', [x], { axes });
      await check('reduce_min', [x], { axes });
      const output = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
      await check('reduce_mean', [r.tensor('i8', [5, 70, 31], { zp: -5 })], { axes, m1: 1073741824, l: 2, output });
    }
  });

  it('argmax and argmin with many equal values', async () => {
    const r = new Random(6);
    for (const axis of [0, 1, 2]) {
      for (const select_last of [false, true]) {
        const x = r.tensor('i8', [3, 900, 2], { lo: -2, hi: 2 });
        await check('argmax', [x], { axis, select_last });
        await check('argmin', [x], { axis, select_last });
      }
    }
  });

  it('softmax of long and short rows', async () => {
    const r = new Random(7);
    const output = { dtype: 'i16', zp: 0, lo: 0, hi: 32767 };
    for (const k of [1, 63, 64, 65, 1000]) {
      for (const [dtype, l] of [
        ['i8', 16],
        ['i16', 8],
        ['i32', 0],
      ] as const) {
        const x = r.tensor(dtype, [3, k], dtype === 'i32' ? { lo: -1073741824, hi: 1073741823 } : {});
        await check('softmax', [x], { l, m: 1600000000, o: 15, output });
        await check('softmax', [x], { l, m: 1600000000, o: 15, output, causal: true, offset: -1 });
      }
    }
  });

  it('layer_norm from one element to 65,536', async () => {
    const r = new Random(8);
    const output = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
    for (const n of [1, 2, 63, 64, 65, 1000, 65536]) {
      for (const dtype of I8_I16) {
        const gamma = r.tensor('i32', [n], { constant: true });
        const beta = r.tensor('i32', [n], { lo: -1000000, hi: 1000000, constant: true });
        for (const eps of [1n, 281474976710655n])
          await check('layer_norm', [r.tensor(dtype, [2, n]), gamma, beta], { eps, g: 12, output });
      }
    }
  });

  it('more workgroups than one row of a dispatch holds', async () => {
    const x = new Random(3).tensor('i8', [3001, 3001]);
    const plan = planOf('reshape', [x], { shape: [3001 * 3001] });
    const executable = await backend.prepare(plan, { mode: 'run' });
    const [y] = await executable.run([x.data], {});
    executable.dispose();
    const same = toBytes(x.data);
    if (toBytes(y!).some((v, i) => v !== same[i])) throw new Error('reshape changes elements');
    const output = { dtype: 'i16', zp: 0, lo: 0, hi: 32767 };
    await check('softmax', [new Random(4).tensor('i8', [40_001, 2])], { l: 16, m: 1600000000, o: 15, output });
  });

  it('concat of 64 operands', async () => {
    const r = new Random(10);
    const parts = Array.from({ length: 64 }, (_, i) => r.tensor('i8', [2, i % 4, 3]));
    await check('concat', parts, { axis: 1 });
  });

  it('div: every i8 by every i8', async () => {
    const all = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    const column: Operand = { dtype: 'i8', shape: [256, 1], data: all };
    for (const [p, q, zp] of [
      [1, 1, 0],
      [65535, 2, -128],
      [5, 65534, 127],
    ] as const) {
      const row: Operand = { dtype: 'i8', shape: [256], zp, data: all };
      await check('div', [column, row], { p, q, output: { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 } });
    }
  });

  it('log_softmax of long and short rows', async () => {
    const r = new Random(11);
    for (const k of [1, 63, 64, 65, 1000]) {
      for (const [dtype, l] of [
        ['i8', 16],
        ['i16', 8],
      ] as const)
        await check('log_softmax', [r.tensor(dtype, [3, k])], {
          l,
          m: 1600000000,
          stage: stageFor(r, 'i16', 2 ** 28, 1),
        });
    }
  });

  it('rms_norm and group_norm of lines that fill rows and that do not', async () => {
    const r = new Random(12);
    const output = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
    for (const [shape, groups] of [
      [[2, 1, 1, 1], 1],
      [[2, 3, 5, 6], 3],
      [[1, 9, 8, 65], 5],
      [[1, 128, 128, 8], 2],
    ] as const) {
      const channels = [{}, { lo: -1000000, hi: 1000000 }].map((o) =>
        r.tensor('i32', [shape[3]], { ...o, constant: true }),
      );
      for (const eps of [1n, 281474976710655n]) {
        await check('group_norm', [r.tensor('i16', shape), ...channels], { groups, eps, g: 12, output });
        await check('rms_norm', [r.tensor('i8', shape, { zp: -3 }), ...channels], { eps, g: 9, output });
      }
    }
  });

  it('cumsum of lines that are and are not powers of 2', async () => {
    const r = new Random(13);
    for (const n of [1, 2, 3, 64, 1000]) {
      for (const exclusive of [false, true]) {
        for (const reverse of [false, true]) {
          await check('cumsum', [r.tensor('i16', [2, n, 3])], { axis: 1, exclusive, reverse });
          await check('cumsum', [r.tensor('i8', [n], { zp: 5 })], { axis: 0, exclusive, reverse });
        }
      }
    }
  });

  it('topk of lines in parts, of ties and of all', async () => {
    const r = new Random(14);
    for (const [dtype, shape, axis, k] of [
      ['i8', [1], 0, 1],
      ['i8', [5, 130], 1, 130],
      ['i16', [3000], 0, 50],
      ['i16', [40, 9, 3], 0, 33],
      ['i32', [2, 700, 3], 1, 7],
    ] as const) {
      for (const smallest of [false, true]) {
        await check('topk', [r.tensor(dtype, shape)], { axis, k, smallest });
        await check('topk', [r.tensor(dtype, shape, { lo: -2, hi: 2 })], { axis, k, smallest });
      }
    }
  });

  it('sample of rows in parts', async () => {
    const r = new Random(15);
    for (const v of [1, 2, 64, 65, 3000]) {
      const words = [r.tensor('i32', [2]), r.tensor('i32', [1])];
      for (const [k, p16] of [
        [0, 65536],
        [v, 65536],
        [v, 1],
        [(v + 1) >> 1, 40000],
      ] as const) {
        await check('sample', [r.tensor('i8', [3, v]), ...words], { l: 16, m: 1600000000, k, p16 });
        await check('sample', [r.tensor('i16', [2, v], { lo: -9, hi: 9 }), ...words], { l: 0, m: 99, k, p16 });
      }
    }
  });

  it('rope of pairs and of halves, with columns that stay', async () => {
    const r = new Random(16);
    for (const d of [2, 3, 16, 34]) {
      for (const interleaved of [false, true]) {
        const step = r.fill(new Int32Array(r.int(1, d >> 1)), -2147483648, 2147483647);
        const x = r.tensor('i16', [2, 3, 5, d]);
        const stage = stageFor(r, 'i16', 23171 * 32768, 1);
        await check('rope', [x], { step, interleaved, position: -2147483648, stage });
        await check('rope', [x, r.tensor('i32', [1])], { step, interleaved, position: 0, stage });
      }
    }
  });

  for (const [c, o, groups] of [
    [3, 8, 1],
    [8, 5, 1],
    [6, 9, 3],
    [8, 8, 2],
    [5, 5, 5],
  ] as const)
    it(`conv_transpose2d: ${c} to ${o} channels in ${groups} groups`, async () => {
      const r = new Random(17 + c + o);
      for (const dtype of I8_I16) {
        for (const strides of [
          [1, 2],
          [3, 2],
          [9, 10],
        ] as const) {
          const x = r.tensor(
            dtype,
            [2, 4, 3, c],
            dtype === 'i8' ? { zp: r.pick([-128, 127, 3]) } : { lo: -3000, hi: 2999 },
          );
          const w = r.tensor('i8', [o, 3, 2, c / groups], { constant: true });
          const b = r.tensor('i32', [o], { lo: -9999, hi: 9999, constant: true });
          const attrs = { groups, strides, pads: [1, 0, 1, 1], dilations: [2, 1], output_padding: [1, 0] };
          const reach = 9999 + ((6 * c) / groups) * 128 * (dtype === 'i8' ? 255 : 3000);
          for (const stage of stages(r, reach, o))
            await check('conv_transpose2d', [x, w, b], stage === undefined ? attrs : { ...attrs, stage });
        }
      }
    });

  it('gru with the reset on either side, over steps of one row and of several', async () => {
    const r = new Random(18);
    for (const [t, n, d, h] of [
      [3, 1, 5, 9],
      [2, 3, 1, 4],
      [0, 2, 2, 1],
    ] as const) {
      for (const qh of [7, 15]) {
        const table = (lo: number): Operand => r.tensor('i16', [513], { lo, hi: 32767, constant: true });
        const bias = (rows: number): Operand => r.tensor('i32', [rows], { lo: -5000, hi: 5000, constant: true });
        const operands = [
          r.tensor('i8', [t, n, d], { zp: -7 }),
          r.tensor('i8', [3 * h, d], { constant: true }),
          r.tensor('i8', [3 * h, h], { constant: true }),
          bias(3 * h),
          r.tensor(qh === 7 ? 'i8' : 'i16', [n, h]),
          table(0),
          table(-32768),
        ];
        const m = { mx: Int32Array.of(1 << 27), lx: 0, mh: Int32Array.of(1 << 26), lh: 0 };
        const attrs = { ...m, qh, lo: -128, hi: 127, reverse: qh === 15 };
        await check('gru', operands, attrs);
        await check('gru', [...operands, bias(h)], attrs);
      }
    }
  });

  it('update at both ends', async () => {
    const r = new Random(19);
    for (const dtype of ['i8', 'i16', 'i32'] as const) {
      for (const [shape, axis, n] of [
        [[5, 3], 0, 2],
        [[2, 9, 3], 1, 4],
        [[2, 3, 7], 2, 7],
      ] as const) {
        const rows = shape.map((e, i) => (i === axis ? n : e));
        for (const at of [0, shape[axis]! - n]) {
          const position = { ...r.tensor('i32', [1], { lo: at, hi: at }), lo: 0, hi: shape[axis]! - n };
          await check('update', [r.tensor(dtype, shape), r.tensor(dtype, rows), position], { axis });
        }
      }
    }
  });

  it('nms of few boxes and of many', async () => {
    const r = new Random(20);
    for (const n of [0, 1, 5, 70, 300]) {
      for (const [t15, limit] of [
        [0, 3],
        [16384, 20],
        [32768, n + 1],
      ] as const) {
        const boxes = r.tensor(n === 5 ? 'i32' : 'i16', [2, n, 4], { lo: -200, hi: 200 });
        const scores = r.tensor('i8', [2, 3, n], { lo: -5, hi: 5 });
        await check('nms', [boxes, scores], { t15, threshold: -3, limit });
      }
    }
  });
  return tests;
}
