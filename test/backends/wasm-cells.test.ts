/** The wasm kernels of gru, update and nms against the reference. */
import { describe, test } from 'vitest';
import type { DType } from '../../src/core/tensor.ts';
import { agree, type Operand, Random } from './wasm-harness.ts';

function constant(o: Operand): Operand {
  return { ...o, constant: true };
}

describe('gru', () => {
  test('both places of the reset, rows and batches, both directions', async () => {
    for (let i = 0; i < 160; i++) {
      const r = new Random(11000 + i);
      const [t, n, d, h] = [r.int(0, 4), r.pick([1, 1, 2, 5, 9]), r.pick([1, 3, 8, 17]), r.pick([1, 2, 7, 8, 9, 20])];
      const qh = r.pick([7, 15]);
      const dtype: DType = r.pick(['i8', 'i16']);
      const x = r.tensor(dtype, [t, n, d], dtype === 'i8' ? { zp: r.pick([-128, 127, 0, 5]) } : {});
      const table = (lo: number): Operand => constant(r.tensor('i16', [513], { lo, hi: 32767 }));
      const words = (): Int32Array =>
        r.int(0, 1) === 1
          ? Int32Array.of(r.int(1 << 20, 2147483647))
          : r.fill(new Int32Array(3 * h), 1073741824, 2147483647);
      const [mx, mh] = [words(), words()];
      const attrs = {
        ...{ mx, lx: mx[0]! >= 1073741824 ? r.int(0, 4) : 0, mh, lh: mh[0]! >= 1073741824 ? r.int(0, 4) : 0 },
        ...{ qh, lo: r.pick([-128, -60]), hi: r.pick([127, 90]), reverse: r.int(0, 1) === 1 },
      };
      const bias = (rows: number): Operand => constant(r.tensor('i32', [rows], { lo: -5000, hi: 5000 }));
      const operands = [
        x,
        constant(r.tensor('i8', [3 * h, d])),
        constant(r.tensor('i8', [3 * h, h])),
        bias(3 * h),
        r.tensor(qh === 7 ? 'i8' : 'i16', [n, h]),
        table(0),
        table(-32768),
        ...(r.int(0, 1) === 1 ? [bias(h)] : []),
      ];
      await agree('gru', operands, attrs);
    }
  });
});

test('update at every position', async () => {
  for (let i = 0; i < 160; i++) {
    const r = new Random(11400 + i);
    const dtype = r.pick(['i8', 'i16', 'i32', 'bool'] as const);
    const shape = Array.from({ length: r.int(1, 4) }, () => r.pick([1, 2, 3, 7, 17]));
    const axis = r.int(0, shape.length - 1);
    const n = r.int(0, shape[axis]!);
    const zp = dtype === 'i8' ? r.pick([-128, 0, 9]) : 0;
    const rows = shape.map((d, k) => (k === axis ? n : d));
    const position = r.tensor('i32', [1], { lo: 0, hi: shape[axis]! - n });
    await agree('update', [r.tensor(dtype, shape, { zp }), r.tensor(dtype, rows, { zp }), position], { axis });
  }
});

test('nms of ties, of empty boxes and of none', async () => {
  for (let i = 0; i < 200; i++) {
    const r = new Random(11700 + i);
    const [b, c, n] = [r.int(1, 2), r.int(1, 3), r.pick([0, 1, 2, 9, 40])];
    const span = r.pick([
      { lo: -5, hi: 5 },
      { lo: 0, hi: 100 },
      { lo: -20000, hi: 20000 },
    ]);
    const boxes = r.tensor(r.pick(['i16', 'i32'] as const), [b, n, 4], span);
    const scores = r.tensor(r.pick(['i8', 'i16'] as const), [b, c, n], r.pick([{}, { lo: -2, hi: 2 }]));
    const attrs = { t15: r.pick([0, 1, 10923, 16384, 32768]), threshold: r.pick([-32769, 0, 1]), limit: r.int(1, 12) };
    await agree('nms', [boxes, scores], attrs);
  }
});
