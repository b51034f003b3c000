/**
 * Shapes of the gas benchmark: moves in long runs and single bytes, with poor locality; many tiny nodes; huge copies.
 * @module
 */
import { type Add, type Attrs, I8, I16, type Operand, TO_I8, TO_I16, w, x } from './graphs.ts';

/** Adds the cases. */
export function moves(add: Add): void {
  // moves: long runs and single bytes, poor locality, one axis reversed
  for (const dtype of ['i8', 'i32'] as const) {
    const limits = dtype === 'i32' ? { lo: -60000, hi: 60000 } : {};
    for (const [shape, perm] of [
      [
        [300, 300],
        [1, 0],
      ],
      [
        [1024, 1024],
        [1, 0],
      ],
      [
        [28, 28, 64],
        [2, 0, 1],
      ],
      [
        [8, 64, 8, 16],
        [0, 2, 1, 3],
      ],
      [
        [50000, 2],
        [1, 0],
      ],
      [
        [2, 50000],
        [1, 0],
      ],
      [
        [16, 16, 16, 16],
        [3, 2, 1, 0],
      ],
      [
        [10, 10, 10, 10, 2],
        [4, 1, 0, 3, 2],
      ],
    ] as const) // prettier-ignore
      add('transpose', `${perm}`, [x(dtype, shape, limits)], { perm });
    add('concat', 'last', [x(dtype, [20000, 1], limits), x(dtype, [20000, 1], limits), x(dtype, [20000, 1], limits)], {
      axis: 1,
    });
    add('concat', 'first', [x(dtype, [50000], limits), x(dtype, [50000], limits)], { axis: 0 });
    add(
      'concat',
      '16 pieces',
      Array.from({ length: 16 }, () => x(dtype, [500, 3], limits)),
      { axis: 1 },
    );
    add('slice', 'step 2', [x(dtype, [200000], limits)], { start: [0], step: [2], size: [100000] });
    add('slice', 'reversed', [x(dtype, [200000], limits)], { start: [199999], step: [-1], size: [200000] });
    add('slice', 'step 4096', [x(dtype, [1000000], limits)], { start: [0], step: [4096], size: [244] });
    add('slice', 'inner', [x(dtype, [20000, 4], limits)], { start: [0, 1], step: [1, 1], size: [20000, 2] });
    add('slice', 'one element', [x(dtype, [100000], limits)], { start: [5], step: [1], size: [1] });
    for (const mode of ['constant', 'edge', 'reflect'] as const) {
      const value = mode === 'constant' ? [w(dtype, [], { lo: 0, hi: 0 })] : [];
      add('pad', `${mode}, image`, [x(dtype, [1, 56, 56, 16], limits), ...value], {
        mode,
        before: [0, 1, 1, 0],
        after: [0, 1, 1, 0],
      });
      add('pad', `${mode}, channels`, [x(dtype, [3000, 3], limits), ...value], { mode, before: [0, 2], after: [0, 1] });
      add('pad', `${mode}, far`, [x(dtype, [2000], limits), ...value], { mode, before: [1900], after: [1900] });
    }
    for (const [rows, inner, n] of [
      [1000, 64, 5000],
      [100000, 1, 50000],
      [1000000, 1, 50000],
      [20000, 3, 30000],
      [2000, 16, 20000],
    ] as const) // prettier-ignore
      add('gather', '', [x(dtype, [rows, inner], limits), w('i32', [n], { lo: 0, hi: rows - 1 })], { axis: 0 });
    add('gather', 'last axis', [x(dtype, [300, 300], limits), w('i32', [300], { lo: 0, hi: 299 })], { axis: 1 });
    add('expand', 'rows', [x(dtype, [1, 64], limits)], { shape: [3000, 64] });
    add('expand', 'channels', [x(dtype, [30000, 1], limits)], { shape: [30000, 3] });
    add('expand', 'crossed', [x(dtype, [100, 1, 100, 1], limits)], { shape: [100, 3, 100, 3] });
    add('tile', 'bytes', [x(dtype, [20000, 1], limits)], { repeats: [1, 5] });
    add('tile', 'rows', [x(dtype, [28, 64], limits)], { repeats: [50, 1] });
    add('tile', 'pairs', [x(dtype, [100, 100, 2], limits)], { repeats: [2, 1, 3] });
    for (const [h, c, block] of [
      [28, 64, 2],
      [56, 12, 2],
      [20, 16, 4],
      [100, 4, 2],
    ] as const) {
      add('depth_to_space', `${block}`, [x(dtype, [1, h, h, c], limits)], { block, mode: 'DCR' });
      add('depth_to_space', `${block}, CRD`, [x(dtype, [1, h, h, c], limits)], { block, mode: 'CRD' });
      add('space_to_depth', `${block}`, [x(dtype, [1, h, h, c], limits)], { block });
    }
    for (const c of [1, 3, 16, 64])
      add('resize_nearest', '', [x(dtype, [1, 28, 28, c], limits)], {
        axis_y: [56, -28, 112],
        axis_x: [56, -28, 112],
        out: [56, 56],
      });
    for (const n of [64, 100000, 1000000]) add('reshape', '', [x(dtype, [n], limits)], { shape: [1, n] });
    add(
      'update',
      'one row',
      [x(dtype, [1000, 64], limits), x(dtype, [1, 64], limits), x('i32', [1], { lo: 0, hi: 999 })],
      { axis: 0 },
    );
    add(
      'update',
      'columns',
      [x(dtype, [2000, 20], limits), x(dtype, [2000, 1], limits), x('i32', [1], { lo: 0, hi: 19 })],
      { axis: 1 },
    );
  }
  for (const [dtype, stage] of [
    ['i8', { ...(TO_I8 as object), m: Int32Array.of(4096) }],
    ['i16', TO_I8],
  ] as const)
    for (const [h, c, out] of [
      [28, 16, 56],
      [28, 3, 56],
      [28, 1, 100],
      [56, 1, 3],
      [14, 64, 28],
      [2, 2, 90],
    ] as const)
      add('resize_bilinear', '', [x(dtype, [1, h, h, c])], {
        axis_y: [2 * h, h - out, 2 * out],
        axis_x: [2 * h, h - out, 2 * out],
        out: [out, out],
        stage,
      });

  // many tiny nodes; huge copies; large tables
  for (const op of [
    'rescale',
    'lut8',
    'reshape',
    'transpose',
    'mul',
    'dense',
    'softmax',
    'conv2d',
    'layer_norm',
    'max_pool2d',
  ] as const) {
    const one = x('i8', [1, 1, 1, 1]);
    const bias = w('i32', [1]);
    const made: Readonly<Record<typeof op, readonly [readonly Operand[], Attrs]>> = {
      rescale: [[one], { stage: TO_I16 }],
      lut8: [[one, w('i8', [256])], {}],
      reshape: [[one], { shape: [1] }],
      transpose: [[one], { perm: [3, 1, 2, 0] }],
      mul: [[one, x('i8', [1])], { stage: TO_I8 }],
      dense: [[one, w('i8', [1, 1]), bias], { stage: TO_I8 }],
      softmax: [[one], { l: 10, m: 2 ** 30, o: 15, output: I16 }],
      conv2d: [[one, w('i8', [1, 1, 1, 1]), bias], { stage: TO_I8 }],
      layer_norm: [[one, w('i32', [1], { lo: 1, hi: 1 }), bias], { eps: 1n, g: 0, output: I8 }],
      max_pool2d: [[one], { kernel: [1, 1] }],
    };
    for (const times of [1, 20, 400]) add(op, 'tiny', ...made[op], times);
  }
  add('concat', 'huge', [x('i8', [4000000]), x('i8', [4000000])], { axis: 0 });
  add('reshape', 'huge', [x('i8', [8000000])], { shape: [8000000, 1] });
  add('transpose', 'huge', [x('i8', [3000, 3000])], { perm: [1, 0] });
}
