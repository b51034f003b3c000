/**
 * Shapes of the gas benchmark: elements whole, by channel, in runs of one and two; windows, reductions, orders.
 * @module
 */
import { type Add, I8, I16, TO_I8, TO_I16, w, x } from './graphs.ts';

/** Adds the cases. */
export function elements(add: Add): void {
  // elements: whole, by channel, by row, in runs of one and two, tiny
  const PAIRS: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ['whole', [28, 28, 64], [28, 28, 64]],
    ['by channel', [28, 28, 64], [64]],
    ['by 3 channels', [5000, 3], [3]],
    ['by row', [5000, 9], [5000, 1]],
    ['by 2 rows', [20000, 2], [20000, 1]],
    ['scalar', [50000], []],
    ['outer', [300, 1], [1, 300]],
    ['outer of 2', [20000, 1], [1, 2]],
    ['crossed', [100, 1, 100, 1], [1, 2, 1, 2]],
    ['crossed by 3', [40, 1, 40, 1, 3], [1, 3, 1, 3, 1]],
    ['long', [1000000], [1000000]],
    ['one', [1], [1]],
    ['17', [17], [17]],
  ] as const; // prettier-ignore
  for (const [what, a, b] of PAIRS) {
    for (const dtype of ['i8', 'i16'] as const) {
      add('mul', what, [x(dtype, a), x(dtype, b)], { stage: TO_I8 });
      add('div', what, [x(dtype, a), x(dtype, b, { lo: 1 })], { p: 3, q: 1, output: I8 });
    }
    for (const dtype of ['i8', 'i16', 'i32'] as const) {
      const limits = dtype === 'i32' ? { lo: -60000, hi: 60000 } : {};
      add('linear2', what, [x(dtype, a, limits), x(dtype, b, limits)], { ma: 3, mb: 5, s: 3, output: I8 });
      add('compare', what, [x(dtype, a, limits), x(dtype, b, limits)], { op: 'gt' });
      add('max', what, [x(dtype, a, limits), x(dtype, b, limits)]);
    }
    add('where', what, [x('bool', a), x('i8', b), x('i8', a)]);
    add('logical', what, [x('bool', a), x('bool', b)], { op: 'xor' });
  }
  for (const n of [1, 1000, 200000, 2000000]) {
    for (const dtype of ['i8', 'i16', 'i32'] as const) {
      const limits = dtype === 'i32' ? { lo: -60000, hi: 60000 } : {};
      add('rescale', '', [x(dtype, [n], limits)], { stage: TO_I16 });
      add('linear2', 'alone', [x(dtype, [n], limits)], { ma: 3, s: 3, output: I16 });
    }
    add('lut8', 'to i8', [x('i8', [n]), w('i8', [256])]);
    add('lut8', 'to i16', [x('i8', [n]), w('i16', [256])]);
    add('lut16', 'to i8', [x('i16', [n]), w('i16', [513])], { s: 15, output: I8 });
    add('lut16', 'to i16', [x('i16', [n]), w('i16', [513])], { s: 7, output: I16 });
  }
  add('rescale', 'by channel', [x('i16', [9000, 3])], {
    stage: { ...(TO_I8 as object), m: Int32Array.of(2 ** 22, 2 ** 21, 2 ** 20) },
  });

  // windows: one channel, few, many; large and small kernels
  for (const dtype of ['i8', 'i16'] as const) {
    for (const [h, c, k, s] of [
      [56, 64, 2, 2],
      [56, 64, 3, 2],
      [56, 1, 2, 2],
      [112, 1, 1, 1],
      [112, 3, 3, 1],
      [28, 17, 5, 1],
      [14, 512, 3, 1],
      [28, 1, 9, 1],
      [7, 1280, 7, 1],
      [64, 1, 64, 1],
      [60, 2, 1, 3],
    ] as const) {
      // prettier-ignore
      const attrs = { kernel: [k, k], strides: [s, s] };
      add('max_pool2d', `${k}×${k}, stride ${s}`, [x(dtype, [1, h, h, c])], attrs);
      add('avg_pool2d', `${k}×${k}, stride ${s}`, [x(dtype, [1, h, h, c])], {
        ...attrs,
        m1: 2 ** 30,
        l: 2,
        output: I8,
      });
    }
  }

  // reductions and orders
  for (const dtype of ['i8', 'i16'] as const) {
    for (const [shape, axes] of [
      [
        [1, 7, 7, 1280],
        [1, 2],
      ],
      [
        [1, 56, 56, 3],
        [1, 2],
      ],
      [[200, 1024], [1]],
      [[1024, 200], [0]],
      [[50000, 2], [1]],
      [[2, 50000], [0]],
      [[50000, 1], [1]],
      [[50000], [0]],
      [[300, 3, 300], [1]],
      [
        [40, 3, 40, 3],
        [1, 3],
      ],
      [
        [40, 3, 40, 3],
        [0, 2],
      ],
      [
        [3000, 3, 3],
        [0, 2],
      ],
      [
        [20, 20, 20, 2],
        [0, 2],
      ],
      [[7], [0]],
    ] as const) {
      // prettier-ignore
      add('reduce_sum', `axes ${axes}`, [x(dtype, shape)], { axes, stage: TO_I8 });
      add('reduce_mean', `axes ${axes}`, [x(dtype, shape)], { axes, m1: 2 ** 30, l: 0, output: I8 });
      add('reduce_max', `axes ${axes}`, [x(dtype, shape)], { axes });
    }
    for (const [shape, axis] of [
      [[200, 1000], 1],
      [[1000, 200], 0],
      [[50000, 2], 1],
      [[50000, 1], 1],
      [[2, 50000], 0],
      [[50000], 0],
      [[300, 3, 100], 1],
    ] as const) {
      // prettier-ignore
      add('argmax', `axis ${axis}`, [x(dtype, shape)], { axis });
      add('cumsum', `axis ${axis}`, [x(dtype, shape)], { axis });
      add('topk', `axis ${axis}, k 1`, [x(dtype, shape)], { axis, k: 1, smallest: false });
      add('topk', `axis ${axis}, all`, [x(dtype, shape)], { axis, k: shape[axis]!, smallest: true });
    }
    add('topk', 'k 5', [x(dtype, [10000])], { axis: 0, k: 5, smallest: false });
  }
  add('argmin', 'axis 1', [x('i32', [200, 1000], { lo: -60000, hi: 60000 })], { axis: 1 });
  add('topk', 'descending', [x('i32', [30000], { lo: -60000, hi: 60000 })], { axis: 0, k: 15000, smallest: false });
}
