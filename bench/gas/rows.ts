/**
 * Shapes of the gas benchmark: softmax, logarithms, norms and samples of rows of 1 to 30,000 elements; cells, positions and boxes.
 * @module
 */
import { type Add, type Attrs, I8, I16, type Operand, TO_I8, w, x } from './graphs.ts';

/** Adds the cases. */
export function rows(add: Add): void {
  // rows: softmax, logarithms and norms of 1, 2, 7, 64, 1000 and 30000 elements
  for (const dtype of ['i8', 'i16'] as const) {
    for (const [rows, k] of [
      [20000, 1],
      [10000, 2],
      [5000, 7],
      [3000, 17],
      [1000, 64],
      [100, 1000],
      [4, 30000],
    ] as const) {
      add('softmax', '', [x(dtype, [rows, k])], { l: 10, m: 2 ** 30, o: 15, output: I16 });
      add('softmax', 'to i8', [x(dtype, [rows, k])], { l: 10, m: 2 ** 30, o: 8, output: I8 });
      add('softmax', 'masked', [x(dtype, [rows, k]), x('bool', [rows, k])], { l: 10, m: 2 ** 30, o: 15, output: I16 });
      add('log_softmax', '', [x(dtype, [rows, k])], { l: 10, m: 2 ** 30, stage: TO_I8 });
      for (const op of ['layer_norm', 'rms_norm'] as const)
        add(op, '', [x(dtype, [rows, k]), w('i32', [k]), w('i32', [k])], { eps: 1n, g: 8, output: I8 });
      if (k < 1000) {
        add('softmax', 'causal', [x(dtype, [rows / 20, 20, k])], {
          l: 10,
          m: 2 ** 30,
          o: 15,
          output: I16,
          causal: true,
        });
        add('sample', 'of all', [x(dtype, [rows, k]), x('i32', [2]), x('i32', [1])], {
          l: 10,
          m: 2 ** 30,
          k: 0,
          p16: 65536,
        });
        add('sample', 'of the first', [x(dtype, [rows, k]), x('i32', [2]), x('i32', [1])], {
          l: 10,
          m: 2 ** 30,
          k: Math.ceil(k / 2),
          p16: 60000,
        });
      }
    }
    for (const [h, c, groups] of [
      [28, 64, 8],
      [28, 64, 64],
      [28, 64, 1],
      [28, 24, 8],
      [1, 512, 512],
      [1, 512, 128],
      [1, 512, 32],
      [2, 60, 20],
      [56, 3, 3],
      [56, 1, 1],
      [14, 7, 7],
    ] as const) // prettier-ignore
      add('group_norm', `${groups} groups`, [x(dtype, [2, h, h, c]), w('i32', [c]), w('i32', [c])], {
        eps: 1n,
        g: 8,
        output: I8,
        groups,
      });
  }
  add('softmax', 'i32', [x('i32', [100, 300], { lo: -60000, hi: 60000 })], { l: 0, m: 2 ** 24, o: 15, output: I16 });
  add('sample', 'of a vocabulary', [x('i8', [1, 32000]), x('i32', [2]), x('i32', [1])], {
    l: 10,
    m: 2 ** 30,
    k: 50,
    p16: 60000,
  });

  // cells, positions, boxes
  const TABLE = Int16Array.from({ length: 513 }, (_, i) => i * 60);
  const table: Operand = { dtype: 'i16', shape: [513], data: TABLE };
  const words = (n: number): Int32Array => new Int32Array(n).fill(2 ** 22 + 1);
  for (const [t, n, d, h] of [
    [1, 1, 64, 64],
    [20, 1, 64, 64],
    [20, 8, 64, 64],
    [100, 1, 1, 1],
    [100, 1, 3, 5],
    [10, 1, 200, 200],
    [50, 16, 1, 1],
    [5, 64, 8, 8],
    [8, 1, 8, 120],
  ] as const) {
    // prettier-ignore
    for (const qh of [7, 15] as const) {
      const state = qh === 7 ? 'i8' : 'i16';
      const [lo, hi] = qh === 7 ? [-128, 127] : [-32768, 32767];
      const small = { lo: -9, hi: 9 };
      const attrs = (rows: number): Attrs => ({
        mx: words(rows).slice(0, 1),
        lx: 0,
        mh: words(rows).slice(0, 1),
        lh: 0,
        qh,
        lo,
        hi,
        reverse: false,
      });
      add(
        'lstm',
        `h ${state}`,
        [
          x('i8', [t, n, d]),
          w('i8', [4 * h, d], small),
          w('i8', [4 * h, h], small),
          w('i32', [4 * h]),
          x(state, [n, h]),
          x('i16', [n, h]),
          table,
          table,
          table,
        ],
        { ...attrs(4 * h), kc: 3 },
      );
      add(
        'gru',
        `h ${state}`,
        [
          x('i8', [t, n, d]),
          w('i8', [3 * h, d], small),
          w('i8', [3 * h, h], small),
          w('i32', [3 * h]),
          x(state, [n, h]),
          table,
          table,
        ],
        attrs(3 * h),
      );
      add(
        'gru',
        `h ${state}, bias behind`,
        [
          x('i16', [t, n, d], { lo: -90, hi: 90 }),
          w('i8', [3 * h, d], small),
          w('i8', [3 * h, h], small),
          w('i32', [3 * h]),
          x(state, [n, h]),
          table,
          table,
          w('i32', [h]),
        ],
        attrs(3 * h),
      );
    }
  }
  for (const dtype of ['i8', 'i16'] as const)
    for (const [shape, pairs, interleaved] of [
      [[1, 8, 128, 32], 16, false],
      [[1, 8, 128, 32], 16, true],
      [[1, 1, 2000, 2], 1, false],
      [[1, 100, 20, 2], 1, true],
      [[1, 8, 1, 64], 32, false],
      [[1, 1, 500, 64], 3, true],
    ] as const) // prettier-ignore
      add('rope', interleaved ? 'interleaved' : '', [x(dtype, shape)], {
        step: Int32Array.from({ length: pairs }, (_, i) => 12345678 * (i + 1)),
        interleaved,
        position: 7,
        stage: TO_I8,
      });
  /** Boxes that do not meet, so that each is compared with all that are kept. */
  function apart(n: number): Int16Array {
    return Int16Array.from(
      { length: 4 * n },
      (_, i) => [10, 12, 18, 19][i & 3]! + 20 * (((i >> 2) % 1500) + (i & 1 ? 0 : 0)),
    );
  }
  for (const [c, n, limit] of [
    [1, 1000, 1000],
    [1, 2000, 50],
    [20, 100, 100],
    [80, 30, 5],
    [1, 5, 5],
    [300, 4, 2],
  ] as const) {
    add('nms', 'apart', [{ dtype: 'i16', shape: [1, n, 4], data: apart(n) }, x('i8', [1, c, n])], {
      t15: 16384,
      limit,
      threshold: -32769,
    });
    add('nms', 'random', [x('i16', [1, n, 4], { lo: -200, hi: 200 }), x('i16', [1, c, n])], {
      t15: 16384,
      limit,
      threshold: -32769,
    });
  }

  add('rope', 'one position a row', [x('i8', [1, 1, 500, 64])], {
    step: Int32Array.from({ length: 32 }, (_, i) => 12345678 * (i + 1)),
    interleaved: false,
    position: 7,
    stage: TO_I8,
  });
  add('gather', 'of a table beyond the caches', [x('i8', [64000000]), w('i32', [50000], { lo: 0, hi: 63999999 })], {
    axis: 0,
  });
  add('gather', 'rows of 64 beyond the caches', [x('i8', [1000000, 64]), w('i32', [20000], { lo: 0, hi: 999999 })], {
    axis: 0,
  });
  add('topk', 'lines of 64', [x('i16', [1000, 64])], { axis: 1, k: 32, smallest: false });
  add('topk', 'lines of 64, all', [x('i16', [1000, 64])], { axis: 1, k: 64, smallest: false });
  const ascending = Int16Array.from({ length: 60000 }, (_, i) => i - 30000);
  add('topk', 'ascending', [{ dtype: 'i16', shape: [60000], data: ascending }], { axis: 0, k: 100, smallest: false });
  add('topk', 'ascending, half', [{ dtype: 'i16', shape: [60000], data: ascending }], {
    axis: 0,
    k: 30000,
    smallest: false,
  });
  add('nms', 'a long list of none', [{ dtype: 'i16', shape: [1, 4, 4], data: apart(4) }, x('i8', [1, 2, 4])], {
    t15: 16384,
    limit: 1000000,
    threshold: 100,
  });
  add(
    'concat',
    '64 bytes',
    Array.from({ length: 64 }, () => x('i8', [1])),
    { axis: 0 },
  );
  add(
    'concat',
    '40 times 64 bytes',
    Array.from({ length: 64 }, () => x('i8', [1])),
    { axis: 0 },
    40,
  );
  add(
    'pad',
    'eight axes',
    [x('i8', [1, 1, 1, 1, 1, 1, 1, 1])],
    { mode: 'edge', before: Array(8).fill(1), after: Array(8).fill(1) },
    20,
  );
  add(
    'conv_transpose2d',
    '64 phases',
    [x('i8', [1, 1, 1, 1]), w('i8', [1, 8, 8, 1]), w('i32', [1])],
    { stage: TO_I8, strides: [8, 8], output_padding: [0, 0] },
    20,
  );
  add('slice', 'of a large input', [x('i8', [8000000])], { start: [5], step: [1], size: [1] });
  add('slice', 'of a large bool', [x('bool', [3000000])], { start: [5], step: [1], size: [1] });
  add('slice', 'of a checked input', [x('i8', [3000000], { lo: -127 })], { start: [5], step: [1], size: [1] });
  add('update', 'one row of many', [x('i8', [1000000, 4]), x('i8', [1, 4]), x('i32', [1], { lo: 0, hi: 9999 })], {
    axis: 0,
  });
  add('matmul', 'batch of one right', [x('i8', [64, 1, 64]), x('i8', [64, 64])], { tb: false, stage: TO_I8 });
  add('cumsum', 'of many lines', [x('i8', [1, 3, 50000])], { axis: 1 });
  add('expand', 'a byte to many', [x('i8', [1])], { shape: [500000] });
  add('dense', 'one row, large', [x('i8', [1, 4096]), w('i8', [4096, 4096]), w('i32', [4096])], { stage: TO_I8 });
  add(
    'dense',
    'i4, one row, large',
    [
      x('i8', [1, 4096]),
      w('i4', [4096, 4096]),
      w('i32', [4096]),
      w('i8', [4096, 128], { zp: -128, lo: -127, hi: -120 }),
    ],
    { block: 32, stage: TO_I8 },
  );
}
