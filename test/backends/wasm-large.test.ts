/** Kernels for large nodes against the reference: every variant, ragged sizes, ends of the types, and the edges of the rules that select them. */
import { describe, expect, test } from 'vitest';
import { agree, Random, stageFor } from './wasm-harness.ts';

interface Product {
  readonly rows: number;
  readonly k?: number;
  readonly o?: number;
  readonly output?: 'i8' | 'i16' | 'raw';
  readonly l?: number;
  /** Every element of x and of w, where not random. */
  readonly fill?: readonly [x: number, w: number];
  readonly zp?: number;
  readonly dtype?: 'i8' | 'i16';
  /** 1×1 convolution of an image of `rows` / 2 by 2. */
  readonly conv?: boolean;
}

/** Runs a product of rows on both backends. Returns the wasm kernel. */
function product(r: Random, p: Product): Promise<string> {
  const { rows, k = 384, o = 96, output = 'i8', conv = false, dtype = 'i8' } = p;
  const constant = <T extends { data: { fill(v: number): unknown } }>(t: T, v: number | undefined): T => {
    if (v !== undefined) t.data.fill(v);
    return t;
  };
  const zp = p.zp ?? (dtype === 'i8' ? r.pick([-128, 127, 0, 3]) : 0);
  const x = constant(
    r.tensor(dtype, conv ? [1, rows / 2, 2, k] : [rows, k], { zp, ...(dtype === 'i16' && { lo: -300, hi: 300 }) }),
    p.fill?.[0],
  );
  const w = constant(r.tensor('i8', conv ? [o, 1, 1, k] : [o, k], { constant: true }), p.fill?.[1]);
  const data = Int32Array.from({ length: o }, () => r.int(-100000, 100000));
  const operands = [x, w, { dtype: 'i32' as const, shape: [o], data, constant: true }];
  const stage = output === 'raw' ? undefined : stageFor(r, output, 100000 + k * 40000, o);
  if (p.l !== undefined)
    Object.assign(stage!, { l: p.l, m: Int32Array.from({ length: o }, (_, i) => 2 ** 30 + i * 1000001) });
  const shared = stage === undefined ? {} : { stage };
  return conv
    ? agree('conv2d', operands, { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, ...shared })
    : agree('dense', operands, { block: 0, ...shared });
}

describe('Strassen', () => {
  test('rows, outputs and types', async () => {
    for (const [i, p] of [
      { rows: 64 },
      { rows: 72, o: 112, output: 'i16' as const },
      { rows: 196, output: 'raw' as const },
      { rows: 199, k: 400 },
      { rows: 194, conv: true },
      { rows: 256, k: 1024, conv: true, output: 'i16' as const }, // several blocks of rows
      { rows: 64, l: 1 },
    ].entries())
      expect(await product(new Random(100 + i), p)).toBe('conv' in p ? 'conv1x1_strassen_i8' : 'dense_w8_strassen_i8');
  }, 60000);

  test('ends of the types', async () => {
    for (const x of [-128, 127])
      for (const w of [-128, 127])
        for (const zp of [-128, 127]) await product(new Random(7), { rows: 64, fill: [x, w], zp, output: 'raw' });
  }, 60000);

  test('left to the ordinary kernels', async () => {
    for (const p of [
      { rows: 63 },
      { rows: 65 },
      { rows: 64, k: 376 },
      { rows: 64, k: 392 },
      { rows: 64, o: 88 },
      { rows: 64, o: 104 },
      { rows: 64, dtype: 'i16' as const },
    ])
      expect(await product(new Random(9), p)).toMatch(/gemm/);
  }, 60000);
});

describe('one row against weights beyond the caches', () => {
  test('panels left over', async () => {
    for (const [i, o] of [1024, 1025, 1039, 1040, 1055].entries())
      for (const output of ['i8', 'i16', 'raw'] as const)
        expect(await product(new Random(20 + i), { rows: 1, k: 4097, o, output })).toBe('dense_w8_streams_i8');
    expect(await product(new Random(3), { rows: 1, k: 4096, o: 1023 })).toBe('dense_w8_gemv_i8');
    expect(await product(new Random(3), { rows: 1, k: 4096, o: 1024, dtype: 'i16' })).toBe('dense_w8_gemv_i16');
  }, 60000);
});

describe('one row against i4 weights', () => {
  interface Four {
    readonly k: number;
    readonly o: number;
    readonly block: number;
    readonly dtype?: 'i8' | 'i16';
    readonly output?: 'i8' | 'i16' | 'raw';
    readonly zp?: number;
    /** Every element of x, byte of w, and scale, where not random. */
    readonly fill?: readonly [x: number, w: number, u: number];
    readonly rows?: number;
  }
  /** Runs a layer on both backends. Returns the wasm kernel. */
  function layer(r: Random, p: Four): Promise<string> {
    const { k, o, block, dtype = 'i8', output = 'raw', rows = 1 } = p;
    const zp = p.zp ?? (dtype === 'i8' ? r.pick([-128, 127, 0, -3]) : 0);
    const wide = dtype === 'i8' || p.fill !== undefined;
    const x = r.tensor(dtype, rows === 1 ? [k] : [rows, k], { zp, ...(!wide && { lo: -200, hi: 200 }) });
    const data = r.fill(new Int8Array((o * k + 1) >> 1), -128, 127);
    const hi = k > 5000 ? -110 : 127;
    const u = r.tensor('i8', [o, Math.ceil(k / block)], { lo: -127, hi, zp: -128, constant: true });
    if (p.fill !== undefined) [x.data, data, u.data].forEach((a, i) => a.fill(p.fill![i]!));
    if ((o * k) % 2 === 1) data[data.length - 1]! &= 15;
    const w = { dtype: 'i4' as const, shape: [o, k], data, constant: true };
    const bias = Int32Array.from({ length: o }, () => r.int(-100000, 100000));
    const stage = output === 'raw' ? {} : { stage: stageFor(r, output, 100000 + k * 8 * 255 * 255, o) };
    const operands = [x, w, { dtype: 'i32' as const, shape: [o], data: bias, constant: true }, u];
    return agree('dense', operands, { block, ...stage });
  }

  test('ragged columns, sums, and blocks', async () => {
    for (const [i, [o, k]] of [
      [64, 1024],
      [170, 386], // an odd number of steps, ten columns left
      [169, 389], // odd K, nine left
      [176, 401],
      [185, 513],
      [190, 767],
      [193, 640], // one column left
      [1, 65536],
      [31, 2115],
      [33, 4093],
    ].entries())
      for (const block of [16, 32, 64, 128, 256])
        for (const dtype of ['i8', 'i16'] as const)
          expect(await layer(new Random(60 + i), { o: o!, k: k!, block, dtype })).toBe(`dense_w4_streams_${dtype}`);
  }, 120000);

  test('stages', async () => {
    for (let i = 0; i < 12; i++)
      for (const output of ['i8', 'i16'] as const)
        await layer(new Random(90 + i), { o: 165 + i, k: 397 + i, block: 64, output });
  }, 60000);

  test('ends of the types', async () => {
    for (const x of [-128, 127])
      for (const zp of [-128, 127])
        for (const w of [-120, 119, 7, -113, 0, -1]) // pairs of −8 and 7, of 0 and of −1
          for (const u of [-127, 127])
            await layer(new Random(5), { o: 165, k: 400, block: 256, zp, fill: [x, w & 255, u] });
    for (const x of [-32768, 32767])
      for (const w of [-120, 119])
        await layer(new Random(6), { o: 165, k: 400, block: 16, dtype: 'i16', fill: [x, w & 255, -127] });
  }, 120000);

  test('left to the panels', async () => {
    expect(await layer(new Random(1), { o: 63, k: 1024, block: 32 })).toBe('dense_w4_gemv_i8');
    expect(await layer(new Random(1), { o: 64, k: 1024, block: 32, rows: 2 })).toBe('dense_w4_gemm_i8');
  });
});

describe('rows of i8', () => {
  const outputs = [
    { dtype: 'i16', zp: 0, lo: 0, hi: 32767 },
    { dtype: 'i8', zp: -128, lo: -128, hi: 127 },
    { dtype: 'i8', zp: 3, lo: -10, hi: 100 },
  ] as const;

  test('softmax', async () => {
    for (let i = 0; i < 60; i++) {
      const r = new Random(300 + i);
      const k = r.pick([16, 17, 23, 31, 64, 129, 300]);
      const x = r.tensor('i8', [Math.ceil(4096 / k), k], r.pick([{}, { lo: -3, hi: 4 }, { lo: 127 }, { hi: -128 }]));
      const [l, m] = r.pick([
        [14, 1640000000],
        [0, 536870912],
        [7, 1073741825],
        [0, 0],
        [24, 2147483647],
        [0, 70000],
      ] as const);
      const attrs = { l, m, o: r.pick([15, 15, 8, 1]), output: r.pick(outputs), causal: false, offset: 0 };
      expect(await agree('softmax', [x], attrs)).toBe('softmax_i8_rows');
    }
  });

  test('layer_norm', async () => {
    for (let i = 0; i < 60; i++) {
      const r = new Random(400 + i);
      const n = r.pick([1, 3, 8, 17, 64, 300, 384]);
      const x = r.tensor('i8', [Math.ceil(4096 / n), n], {
        ...r.pick([{}, { lo: -1, hi: 0 }, { lo: 5, hi: 5 }]),
        zp: r.pick([-128, 127, 0]),
      });
      const wide = r.int(0, 1) === 1;
      const gamma = r.tensor('i32', [n], wide ? { constant: true } : { lo: -40000, hi: 40000, constant: true });
      const reach = wide ? 1073741823 : 9;
      const beta = r.tensor('i32', [n], { lo: -reach, hi: reach, constant: true });
      const attrs = {
        eps: r.pick([1n, 281474976710655n, 123456789n, 4294967296n]),
        g: r.pick([0, 1, 9, 16]),
        output: r.pick(outputs),
      };
      expect(await agree('layer_norm', [x, gamma, beta], attrs)).toBe('layer_norm_i8_rows');
    }
  });

  test('layer_norm of the longest rows at the ends of the type', async () => {
    const words = (value: number) => ({
      dtype: 'i32' as const,
      shape: [65536],
      data: new Int32Array(65536).fill(value),
      constant: true,
    });
    for (const zp of [-128, 127])
      for (const [u, v] of [
        [-128, 127],
        [-128, -128],
        [127, 127],
      ] as const) {
        const data = Int8Array.from({ length: 65536 }, (_, i) => (i & 1 ? u : v));
        const x = { dtype: 'i8' as const, shape: [1, 65536], zp, data };
        await agree('layer_norm', [x, words(2147483647), words(-5)], { eps: 1n, g: 3, output: outputs[1] });
      }
  });

  test('left to the ordinary kernels', async () => {
    const r = new Random(5);
    const attrs = { l: 14, m: 1640000000, o: 15, output: outputs[0], causal: false, offset: 0 };
    const x15 = r.tensor('i8', [300, 15]);
    expect(await agree('softmax', [x15], attrs)).toBe('softmax_i8_table');
    const x = r.tensor('i8', [64, 64]);
    expect(await agree('softmax', [x], { ...attrs, causal: true })).toBe('softmax_i8_table');
    expect(await agree('softmax', [x, r.tensor('bool', [64, 64])], attrs)).toBe('softmax_i8_table');
  });
});
