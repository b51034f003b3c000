/** Winograd convolutions against the reference: ragged images, pads, ends of the types, and the edges of the rule that selects them. */
import { describe, expect, test } from 'vitest';
import { agree, Random } from './wasm-harness.ts';

interface Case {
  readonly n?: number;
  readonly h: number;
  readonly w: number;
  readonly c?: number;
  readonly o?: number;
  readonly pads?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly zp?: number;
  /** Every element of x and of w, where not random. */
  readonly fill?: readonly [x: number, w: number];
  readonly bias?: number;
  readonly l?: number;
  readonly m?: number;
  readonly output?: 'i8' | 'i16' | 'raw';
}

/** Runs a case on both backends. Returns the wasm kernel. */
function run(r: Random, k: Case): Promise<string> {
  const { n = 1, h, w, c = 16, o = 8, pads = [1, 1, 1, 1], strides = [1, 1], dilations = [1, 1] } = k;
  const constant = (a: readonly number[], v: number | undefined) => {
    const t = r.tensor('i8', a);
    return v === undefined ? t : { ...t, data: new Int8Array(t.data.length).fill(v) };
  };
  const x = { ...constant([n, h, w, c], k.fill?.[0]), zp: k.zp ?? r.pick([-128, 127, 0, -3]) };
  const weights = { ...constant([o, 3, 3, c], k.fill?.[1]), constant: true };
  const bias = {
    dtype: 'i32' as const,
    shape: [o],
    data: Int32Array.from({ length: o }, () => k.bias ?? r.int(-100000, 100000)),
    constant: true,
  };
  const output = k.output ?? 'i8';
  if (output === 'raw') return agree('conv2d', [x, weights, bias], { strides, pads, dilations, groups: 1 });
  const [lo, hi] = output === 'i8' ? [r.pick([-128, -100]), r.pick([127, 90])] : [-32768, 32767];
  const m = Int32Array.from({ length: o }, (_, i) => (k.m ?? r.int(1 << 16, 1 << 19)) + i);
  return agree('conv2d', [x, weights, bias], {
    strides,
    pads,
    dilations,
    groups: 1,
    stage: { dtype: output, zp: output === 'i8' ? r.pick([-128, 5, 127]) : 0, lo, hi, l: k.l ?? 0, m },
  });
}

describe('winograd', () => {
  test('every raggedness of image and block', async () => {
    for (let h = 3; h <= 9; h++)
      for (let w = 3; w <= 9; w++) expect(await run(new Random(10 * h + w), { h, w })).toBe('conv_winograd_i8');
  });

  test('pads of every side', async () => {
    for (let i = 0; i < 40; i++) {
      const r = new Random(300 + i);
      const pads = [r.int(0, 4), r.int(0, 4), r.int(0, 4), r.int(0, 4)];
      await run(r, {
        output: r.pick(['i8', 'i16'] as const),
        n: r.int(1, 3),
        h: r.int(3, 8),
        w: r.int(3, 8),
        c: r.pick([16, 24, 40]),
        o: r.pick([8, 16, 24]),
        pads,
      });
    }
  });

  test('several blocks of tiles', async () => {
    // 262,144 bytes hold 2 groups of 1,024 channels, of 25 tiles
    await run(new Random(1), { h: 10, w: 10, c: 1024, o: 8, m: 1 << 10 });
    await run(new Random(2), { n: 2, h: 23, w: 21, c: 128, o: 16 });
  });

  test('ends of the types', async () => {
    for (const x of [-128, 127])
      for (const w of [-128, 127])
        for (const zp of [-128, 0, 127]) await run(new Random(5), { h: 6, w: 5, zp, fill: [x, w], m: 2 ** 30, l: 1 });
  });

  test('chosen while four times the accumulator is an int32', async () => {
    const fill = [0, 1] as const;
    const sum = 9 * 16 * 255; // zp −128: |x'| ≤ 255
    const base = { h: 6, w: 6, zp: -128, fill, m: 1 << 10 };
    const r = new Random(7);
    expect(await run(r, { ...base, bias: 2 ** 29 - 1 - sum })).toBe('conv_winograd_i8');
    expect(await run(r, { ...base, bias: 2 ** 29 - sum })).toBe('conv_im2col_i8');
    expect(await run(r, { ...base, bias: 2 ** 29 + 1 - sum })).toBe('conv_im2col_i8');
    // real sums just inside: 2,048 rows would pass, 1,792 channels of ±128·255 stay below
    expect(await run(r, { h: 4, w: 4, c: 1816, zp: 127, fill: [-128, -128], bias: 0, m: 100 })).toBe(
      'conv_winograd_i8',
    );
    expect(await run(r, { h: 4, w: 4, c: 1832, zp: 127, fill: [-128, -128], bias: 0, m: 100 })).toBe('conv_im2col_i8');
  });

  test('left to the ordinary kernel', async () => {
    const r = new Random(9);
    for (const k of [
      { strides: [2, 1] },
      { strides: [1, 2] },
      { dilations: [2, 1] },
      { dilations: [1, 2] },
      { c: 20 },
      { o: 12 },
      { c: 8 },
      { output: 'raw' as const },
      { h: 3, w: 3, pads: [0, 0, 0, 0] },
    ])
      expect(await run(r, { h: 8, w: 8, ...k })).toBe('conv_im2col_i8');
  });
});
