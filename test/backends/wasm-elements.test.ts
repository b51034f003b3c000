/** The wasm kernels of elementwise ops, pools, moves and rows against the reference. */
import { describe, test } from 'vitest';
import { agree, Random, stageFor } from './wasm-harness.ts';

describe('elementwise', () => {
  test('linear2 over dtypes and broadcasts', async () => {
    for (let i = 0; i < 300; i++) {
      const r = new Random(90 + i);
      const rank = r.int(0, 5);
      const shape = Array.from({ length: rank }, () => r.pick([0, 1, 2, 3, 5, 9].slice(i % 10 === 0 ? 0 : 1)));
      const side = (): number[] => shape.slice(r.int(0, rank)).map((d) => r.pick([d, d, 1]));
      const type = (): { dtype: 'i8' | 'i16' | 'i32'; lo: number; hi: number; zp: number } => {
        const dtype = r.pick(['i8', 'i16', 'i32'] as const);
        return dtype === 'i8'
          ? { dtype, lo: -128, hi: 127, zp: r.pick([-128, 127, 7]) }
          : dtype === 'i16'
            ? { dtype, lo: -32768, hi: 32767, zp: 0 }
            : { dtype, lo: -40000, hi: 40000, zp: 0 };
      };
      const [ta, tb, to] = [type(), type(), type()];
      const s = r.pick([0, 1, 7, 14]);
      const limit = s === 14 ? 20000 : 10000;
      const ma = r.pick([1, -1, limit | 1, -(limit | 1), 3]);
      const mb = r.pick([1, -1, limit | 1, 0, 2]);
      const output = {
        dtype: to.dtype,
        zp: to.zp,
        lo: to.dtype === 'i8' ? r.pick([-128, -5]) : -30000,
        hi: to.dtype === 'i8' ? 127 : r.pick([30000, 32767]),
      };
      const second = r.int(0, 4) > 0;
      await agree(
        'linear2',
        [r.tensor(ta.dtype, second ? side() : shape, ta), second ? r.tensor(tb.dtype, shape, tb) : undefined],
        { ma, mb: second ? mb : 0, s, output },
      );
    }
  });
  test('rescale', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(60 + i);
      const dtype = r.pick(['i8', 'i16', 'i32'] as const);
      const shape = Array.from({ length: r.int(0, 3) }, () => r.int(1, 19));
      const x = r.tensor(
        dtype,
        shape,
        dtype === 'i8' ? { zp: r.pick([-128, 127]) } : dtype === 'i32' ? { lo: -2147483647 } : {},
      );
      const reach = dtype === 'i8' ? 255 : dtype === 'i16' ? 32768 : 2147483647;
      await agree('rescale', [x], {
        stage: stageFor(r, r.pick(['i8', 'i16'] as const), reach, shape[shape.length - 1] ?? 1),
      });
    }
  });
  test('tables', async () => {
    for (let i = 0; i < 30; i++) {
      const r = new Random(i);
      const all = Int8Array.from({ length: 256 }, (_, k) => k - 128);
      const table = r.tensor(r.pick(['i8', 'i16'] as const), [256], { constant: true });
      await agree('lut8', [{ dtype: 'i8', shape: [256], data: all }, table], {});
      const nodes = r.tensor('i16', [513], { constant: true });
      const x = r.tensor('i16', [r.int(1, 300)]);
      const small = r.int(0, 1) === 1;
      await agree('lut16', [x, nodes], {
        s: small ? r.int(13, 22) : r.int(7, 9),
        output: small
          ? { dtype: 'i8', zp: r.pick([-128, 4]), lo: -128, hi: 127 }
          : { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 },
      });
    }
  });
  test('lut16 of every value', async () => {
    const x = { dtype: 'i16' as const, shape: [65536], data: Int16Array.from({ length: 65536 }, (_, i) => i - 32768) };
    const output = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
    for (const f of [
      (i: number) => (i & 1 ? 32767 : -32768),
      (i: number) => (i & 1 ? -32768 : 32767),
      (i: number) => 77 * i - 20000,
    ]) {
      const data = Int16Array.from({ length: 513 }, (_, i) => f(i));
      await agree('lut16', [x, { dtype: 'i16', shape: [513], data, constant: true }], { s: 7, output });
    }
  });
});

describe('pools', () => {
  test('windows, dilation, pads, overhang', async () => {
    let done = 0;
    for (let i = 0; done < 150; i++) {
      const r = new Random(20 + i);
      const dtype = r.pick(['i8', 'i16'] as const);
      const x = r.tensor(
        dtype,
        [r.int(1, 2), r.int(1, 9), r.int(1, 9), r.int(1, 35)],
        dtype === 'i8' ? { zp: r.pick([-128, 127, 0]) } : {},
      );
      const strides = [r.int(1, 3), r.int(1, 3)];
      const a = {
        kernel: [r.int(1, 4), r.int(1, 4)],
        strides,
        dilations: [r.pick([1, 1, 2, 3]), r.pick([1, 1, 2])],
        pads: [r.int(0, 3), r.int(0, 3), r.int(0, 3), r.int(0, 3)],
        overhang: [r.int(0, strides[0]! - 1), r.int(0, strides[1]! - 1)],
      };
      try {
        await agree('max_pool2d', [x], a);
        const s = stageFor(r, r.pick(['i8', 'i16'] as const), 16 * (dtype === 'i8' ? 255 : 32768), 1) as {
          l: number;
          m: Int32Array;
        };
        const { l, m, ...output } = s;
        await agree('avg_pool2d', [x], { ...a, include_pad: r.int(0, 1) === 1, m1: m[0], l, output });
        done++;
      } catch (e) {
        if ((e as Error).constructor.name !== 'Refused') throw e;
      }
    }
  });
});

describe('moves', () => {
  const dtypes = ['i8', 'i16', 'i32', 'bool'] as const;
  test('transpose and reshape up to rank 8', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(400 + i);
      const shape = Array.from({ length: r.int(0, 8) }, () => r.pick([1, 2, 3]));
      const perm = shape.map((_, k) => k);
      for (let k = perm.length - 1; k > 0; k--) {
        const j = r.int(0, k);
        [perm[k], perm[j]] = [perm[j]!, perm[k]!];
      }
      const x = r.tensor(r.pick(dtypes), shape);
      await agree('transpose', [x], { perm });
      await agree('reshape', [x], { shape: [...shape].reverse() });
    }
    await agree('transpose', [new Random(1).tensor('i8', [3, 40, 50])], { perm: [0, 2, 1] });
    await agree('transpose', [new Random(2).tensor('i16', [2, 0, 5])], { perm: [2, 1, 0] });
  });
  test('slice', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(500 + i);
      const shape = Array.from({ length: r.int(0, 8) }, () => r.int(1, 4));
      const size = shape.map((d) => r.int(i % 9 === 0 ? 0 : 1, d));
      const step = shape.map((d, k) => (size[k]! <= 1 ? 1 : r.pick([1, -1, size[k]! * 2 - 1 <= d ? 2 : 1])));
      const start = shape.map((d, k) => {
        const span = Math.max(0, (size[k]! - 1) * Math.abs(step[k]!));
        return step[k]! < 0 ? r.int(span, d - 1) : r.int(0, Math.max(0, d - 1 - span));
      });
      await agree('slice', [r.tensor(r.pick(dtypes), shape)], { start, step, size });
    }
  });
  test('concat', async () => {
    for (let i = 0; i < 60; i++) {
      const r = new Random(600 + i);
      const shape = Array.from({ length: r.int(1, 5) }, () => r.int(1, 4));
      const axis = r.int(0, shape.length - 1);
      const dtype = r.pick(dtypes);
      const parts = Array.from({ length: r.int(1, 4) }, (_, k) =>
        r.tensor(
          dtype,
          shape.map((d, j) => (j === axis ? r.int(k === 0 ? 1 : 0, 20) : d)),
        ),
      );
      await agree('concat', parts, { axis });
    }
  });
  test('pad', async () => {
    for (let i = 0; i < 150; i++) {
      const r = new Random(700 + i);
      const mode = r.pick(['constant', 'edge', 'reflect']);
      const shape = Array.from({ length: r.int(0, 5) }, () => r.int(mode === 'constant' && i % 5 === 0 ? 0 : 1, 5));
      const amount = (): number[] => shape.map((d) => r.int(0, mode === 'reflect' ? d - 1 : 3));
      const [before, after] = [amount(), amount()];
      const dtype = r.pick(dtypes);
      const last = shape.length - 1;
      const vector = last >= 0 && r.int(0, 1) === 1;
      const value =
        mode !== 'constant'
          ? undefined
          : r.tensor(dtype, vector ? [shape[last]! + before[last]! + after[last]!] : [], { constant: true });
      await agree('pad', [r.tensor(dtype, shape), value], { before, after, mode });
    }
  });
});

describe('rows', () => {
  test('softmax with masks', async () => {
    for (let i = 0; i < 250; i++) {
      const r = new Random(800 + i);
      const dtype = r.pick(['i8', 'i16', 'i32'] as const);
      const shape = [...Array.from({ length: r.int(0, 3) }, () => r.int(1, 3)), r.pick([1, 2, 7, 64, 300])];
      const span =
        dtype === 'i32'
          ? r.pick([
              { lo: -1000000, hi: 1000000 },
              { lo: -2147483648, hi: -1 },
            ])
          : {};
      const x = r.tensor(dtype, shape, span);
      const mask =
        r.int(0, 2) === 0
          ? r.tensor(
              'bool',
              shape.slice(r.int(0, shape.length - 1)).map((d) => r.pick([d, d, 1])),
            )
          : undefined;
      const causal = shape.length > 1 && r.int(0, 1) === 1;
      const given =
        causal && r.int(0, 1) === 1
          ? { dtype: 'i32' as const, shape: [1], lo: -400, hi: 400, data: Int32Array.of(r.int(-5, 5)) }
          : undefined;
      const [l, m] = r.pick([
        [14, 1640000000],
        [0, 536870912],
        [7, 1073741825],
        [0, 0],
        [24, 2147483647],
        [0, 70000],
      ]) as [number, number];
      const output = r.pick([
        { dtype: 'i16', zp: 0, lo: 0, hi: 32767 },
        { dtype: 'i8', zp: -128, lo: -128, hi: 127 },
        { dtype: 'i8', zp: 3, lo: -10, hi: 100 },
      ]);
      await agree('softmax', [x, mask, given], {
        l,
        m,
        o: r.pick([15, 15, 8, 1]),
        output,
        causal,
        offset: causal && given === undefined ? r.int(-3, 3) : 0,
      });
    }
  });
  test('softmax offsets at the ends of i32', async () => {
    const r = new Random(3);
    for (const offset of [-2147483648, 2147483640]) {
      await agree('softmax', [r.tensor('i8', [3, 5])], {
        l: 14,
        m: 1640000000,
        o: 15,
        output: { dtype: 'i16', zp: 0, lo: 0, hi: 32767 },
        causal: true,
        offset,
      });
    }
  });
  test('argmax', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(900 + i);
      const shape = Array.from({ length: r.int(1, 4) }, () => r.int(1, 6));
      const x = r.tensor(r.pick(['i8', 'i16', 'i32'] as const), shape, r.int(0, 1) ? { lo: -1, hi: 1 } : {});
      await agree('argmax', [x], { axis: r.int(0, shape.length - 1), select_last: r.int(0, 1) === 1 });
    }
  });
  test('layer_norm just below a square', async () => {
    for (let root = 33000; root < 33200; root++) {
      const one = (v: number) => ({
        dtype: 'i32' as const,
        shape: [2],
        data: new Int32Array(2).fill(v),
        constant: true,
      });
      const x = { dtype: 'i16' as const, shape: [2], data: Int16Array.of(root, -root) };
      const eps = BigInt(root + 1) ** 2n * 4n - 4n - 2n * BigInt(root) ** 2n;
      await agree('layer_norm', [x, one(2147483647), one(0)], {
        eps,
        g: 9,
        output: { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 },
      });
    }
  });
  test('layer_norm', async () => {
    for (let i = 0; i < 150; i++) {
      const r = new Random(1100 + i);
      const dtype = r.pick(['i8', 'i16'] as const);
      const n = r.pick([1, 2, 3, 8, 17, 64, 300]);
      const x = r.tensor(dtype, [r.int(1, 3), n], r.pick([{}, { lo: -1, hi: 0 }, { lo: 5, hi: 5 }]));
      const wide = r.int(0, 1) === 1;
      const gamma = r.tensor('i32', [n], wide ? { constant: true } : { lo: -40000, hi: 40000, constant: true });
      const beta = r.tensor(
        'i32',
        [n],
        wide ? { lo: -1073741823, hi: 1073741823, constant: true } : { lo: -9, hi: 9, constant: true },
      );
      const output = r.pick([
        { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 },
        { dtype: 'i8', zp: -128, lo: -128, hi: 127 },
        { dtype: 'i8', zp: 9, lo: -5, hi: 60 },
      ]);
      const eps = r.pick([1n, 281474976710655n, 123456789n, 4294967296n]);
      await agree('layer_norm', [{ ...x, zp: dtype === 'i8' ? r.pick([-128, 127, 0]) : 0 }, gamma, beta], {
        eps,
        g: r.pick([0, 1, 9, 16]),
        output,
      });
    }
    const ends = [-32768, 32767] as const;
    for (const [n, u, v] of [
      [65536, ...ends],
      [65533, ...ends],
      [65536, -32768, -32768],
      [65536, 32767, 32767],
    ] as const) {
      const x = { dtype: 'i16' as const, shape: [n], data: Int16Array.from({ length: n }, (_, i) => (i & 1 ? u : v)) };
      const c = (value: number) => ({
        dtype: 'i32' as const,
        shape: [n],
        data: new Int32Array(n).fill(value),
        constant: true,
      });
      await agree('layer_norm', [x, c(2147483647), c(-5)], {
        eps: 1n,
        g: 3,
        output: { dtype: 'i8', zp: 0, lo: -128, hi: 127 },
      });
    }
  });
});
