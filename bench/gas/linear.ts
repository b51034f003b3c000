/**
 * Shapes of the gas benchmark: convolutions and products, wide and narrow, with one channel, few terms, few columns, groups.
 * @module
 */
import type { DType } from '../../src/core/tensor.ts';
import { type Add, type Attrs, TO_I8, w, x } from './graphs.ts';

/** Adds the cases. */
export function linear(add: Add): void {
  const NARROW = { lo: -90, hi: 90 };
  function conv(
    what: string,
    dtype: DType,
    [n, h, wd, c]: number[],
    [o, kh, kw]: number[],
    attrs: Attrs = {},
    groups = 1,
  ): void {
    const weights = dtype === 'i16' ? { lo: -9, hi: 9 } : {};
    const operands = [x(dtype, [n!, h!, wd!, c!]), w('i8', [o!, kh!, kw!, c! / groups], weights), w('i32', [o!])];
    add('conv2d', what, operands, { stage: TO_I8, groups, ...attrs });
  }

  function deconv(
    what: string,
    dtype: DType,
    [n, h, wd, c]: number[],
    [o, kh, kw]: number[],
    attrs: Attrs = {},
    groups = 1,
  ): void {
    const weights = dtype === 'i16' ? { lo: -9, hi: 9 } : {};
    const operands = [x(dtype, [n!, h!, wd!, c!]), w('i8', [o!, kh!, kw!, c! / groups], weights), w('i32', [o!])];
    add('conv_transpose2d', what, operands, { stage: TO_I8, groups, output_padding: [0, 0], ...attrs });
  }

  // convolutions: wide and narrow, one channel, pointwise, strided, dilated, padded, grouped, depthwise, raw
  for (const dtype of ['i8', 'i16'] as const) {
    for (const [h, c, o, k] of [
      [56, 64, 64, 1],
      [28, 128, 128, 1],
      [14, 512, 512, 1],
      [7, 1024, 256, 1],
      [56, 1, 1, 1],
      [56, 1, 8, 1],
      [56, 8, 1, 1],
      [56, 3, 9, 1],
      [112, 2, 2, 1],
      [224, 1, 1, 1],
      [28, 64, 64, 3],
      [28, 16, 16, 3],
      [28, 1, 1, 3],
      [28, 1, 16, 3],
      [28, 16, 1, 3],
      [112, 3, 16, 3],
      [56, 5, 7, 5],
      [28, 9, 9, 7],
      [28, 1, 1, 11],
      [14, 256, 256, 3],
      [7, 512, 64, 3],
      [1, 1024, 1024, 1],
      [1, 1024, 1, 1],
      [3, 64, 64, 3],
      [64, 4, 1, 5],
    ] as const) // prettier-ignore
      conv(k > 1 ? 'valid' : 'pointwise', dtype, [1, h, h, c], [o, k, k], k > h ? { pads: [1, 1, 1, 1] } : {});
    for (const [h, c, o, k, s] of [
      [56, 16, 16, 3, 2],
      [56, 3, 8, 3, 2],
      [57, 1, 1, 3, 3],
      [112, 8, 16, 1, 2],
      [64, 16, 16, 2, 8],
    ] as const) // prettier-ignore
      conv(`stride ${s}`, dtype, [1, h, h, c], [o, k, k], {
        strides: [s, s],
        pads: [1, 1, 1, 1].map((p) => (k === 3 ? p : 0)),
      });
    conv('dilated', dtype, [1, 40, 40, 8], [8, 3, 3], { dilations: [7, 5] });
    conv('wide pads', dtype, [1, 4, 4, 8], [8, 3, 3], { pads: [20, 20, 20, 20] });
    conv('row', dtype, [1, 1, 4000, 4], [4, 1, 9], {});
    conv('column', dtype, [1, 4000, 1, 4], [4, 9, 1], {});
    conv('batch', dtype, [500, 2, 2, 3], [3, 2, 2], {});
    conv('raw', dtype, [1, 28, 28, 32], [32, 3, 3], { stage: undefined });
    for (const [c, g, o] of [
      [64, 2, 64],
      [64, 16, 64],
      [64, 32, 32],
      [64, 32, 64],
      [128, 64, 64],
      [6, 3, 9],
      [256, 128, 128],
      [64, 64, 128],
    ] as const) // prettier-ignore
      conv(`${g} groups`, dtype, [1, 20, 20, c], [o, 3, 3], {}, g);
    conv('pointwise, 32 groups', dtype, [1, 28, 28, 64], [64, 1, 1], {}, 32);
    conv('pointwise, 3 groups', dtype, [1, 56, 56, 3], [9, 1, 1], {}, 3);
    for (const [h, c, k, s, d] of [
      [56, 64, 3, 1, 1],
      [56, 32, 3, 2, 1],
      [28, 256, 3, 1, 1],
      [28, 64, 5, 1, 1],
      [28, 1, 3, 1, 1],
      [56, 3, 3, 1, 1],
      [28, 17, 3, 1, 1],
      [28, 64, 3, 1, 3],
      [28, 64, 1, 1, 1],
      [28, 8, 7, 1, 1],
      [28, 2, 11, 1, 1],
      [60, 9, 2, 3, 1],
      [112, 1, 1, 1, 1],
      [112, 2, 1, 2, 1],
      [30, 24, 4, 2, 2],
      [7, 960, 3, 1, 1],
      [28, 1, 7, 1, 1],
      [12, 1, 9, 1, 1],
    ] as const) // prettier-ignore
      conv(
        `depthwise, stride ${s}, dilation ${d}`,
        dtype,
        [1, h, h, c],
        [c, k, k],
        { strides: [s, s], dilations: [d, d], pads: k === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0] },
        c,
      );
    for (const [h, c, o, k, s] of [
      [14, 32, 32, 2, 2],
      [14, 32, 16, 3, 2],
      [28, 1, 1, 3, 2],
      [14, 16, 16, 4, 2],
      [28, 16, 16, 3, 1],
      [20, 3, 3, 5, 3],
      [8, 8, 8, 1, 9],
      [40, 4, 1, 2, 2],
      [6, 4, 4, 11, 11],
      [10, 8, 8, 2, 30],
    ] as const) // prettier-ignore
      deconv(`stride ${s}`, dtype, [1, h, h, c], [o, k, k], { strides: [s, s] });
    deconv('dilated', dtype, [1, 14, 14, 8], [8, 3, 3], { strides: [2, 2], dilations: [3, 2] });
    deconv('cropped', dtype, [1, 30, 30, 8], [8, 3, 3], { strides: [2, 2], pads: [20, 20, 20, 20] });
    deconv('depthwise', dtype, [1, 14, 14, 16], [16, 3, 3], { strides: [2, 2] }, 16);
    deconv('depthwise, one channel', dtype, [1, 28, 28, 1], [1, 3, 3], { strides: [2, 2] }, 1);
  }

  // products: many rows and one, few terms, few columns, i4
  for (const dtype of ['i8', 'i16'] as const) {
    for (const [rows, k, o] of [
      [1, 1024, 1024],
      [1, 512, 4096],
      [1, 64, 8],
      [1, 1, 4096],
      [1, 511, 1],
      [2, 500, 500],
      [4, 512, 512],
      [5, 256, 999],
      [128, 384, 384],
      [197, 256, 768],
      [1000, 1, 1],
      [1000, 3, 5],
      [4000, 1, 8],
      [4000, 8, 1],
      [300, 512, 1],
      [20, 7, 1000],
      [64, 33, 65],
      [10000, 2, 2],
      [1, 3, 20000],
      [3, 3, 20000],
    ] as const) // prettier-ignore
      add(
        'dense',
        '',
        [x(dtype, [rows, k]), w('i8', [o, k], dtype === 'i16' ? { lo: -9, hi: 9 } : {}), w('i32', [o])],
        {
          stage: TO_I8,
        },
      );
    for (const [rows, k, o, block] of [
      [1, 512, 1024, 32],
      [1, 448, 999, 64],
      [16, 512, 256, 16],
      [128, 256, 256, 64],
      [1, 16, 4096, 16],
      [300, 16, 1, 16],
      [7, 500, 3, 256],
    ] as const) // prettier-ignore
      add(
        'dense',
        `i4, blocks of ${block}`,
        [
          x(dtype, [rows, k], dtype === 'i16' ? NARROW : {}),
          w('i4', [o, k]),
          w('i32', [o]),
          w('i8', [o, Math.ceil(k / block)], { zp: -128, lo: -127, hi: -120 }),
        ],
        { block, stage: TO_I8 },
      );
    for (const right of ['i8', 'i16'] as const) {
      for (const [b, m, n, k, tb] of [
        [1, 128, 128, 64, false],
        [4, 128, 32, 128, false],
        [4, 128, 128, 32, true],
        [1, 1, 512, 512, false],
        [1, 1, 512, 512, true],
        [8, 1, 64, 128, true],
        [8, 1, 128, 64, false],
        [1, 300, 1, 64, false],
        [1, 300, 3, 1, false],
        [200, 2, 2, 2, false],
        [500, 1, 1, 1, false],
        [100, 1, 8, 8, true],
        [64, 3, 5, 7, true],
        [1, 2, 2000, 3, false],
        [1, 2000, 2, 3, false],
        [1, 1, 4, 5000, true],
        [1, 1, 1, 9000, true],
        [1, 5, 1, 9000, false],
      ] as const) // prettier-ignore
        add(
          'matmul',
          tb ? 'transposed' : '',
          [x(dtype, [b, m, k], NARROW), x(right, tb ? [b, n, k] : [b, k, n], NARROW)],
          { tb, stage: TO_I8 },
        );
    }
  }
}
