/** Depthwise convolutions along rows against the reference: ragged channels and images, pads, ends of the types, every output type. */
import { describe, expect, test } from 'vitest';
import { agree, Random, stageFor } from './wasm-harness.ts';

interface Case {
  readonly n?: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly pads: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly dtype?: 'i8' | 'i16';
  /** Every element of x and of w, where not random. */
  readonly fill?: readonly [x: number, w: number];
  readonly zp?: number;
}

/** Runs a case on both backends. Returns the wasm kernel. */
function run(r: Random, k: Case): Promise<string> {
  const { n = 1, h, w, c, pads, strides = [1, 1], dilations = [1, 1], dtype = 'i8' } = k;
  const filled = <T extends { data: { fill(v: number): unknown } }>(t: T, v: number | undefined): T => {
    if (v !== undefined) t.data.fill(v);
    return t;
  };
  const x = filled(
    r.tensor(dtype, [n, h, w, c], { zp: dtype === 'i8' ? (k.zp ?? r.pick([-128, 127, -3])) : 0 }),
    k.fill?.[0],
  );
  const weights = filled(r.tensor('i8', [c, 3, 3, 1], { constant: true }), k.fill?.[1]);
  const data = Int32Array.from({ length: c }, () => r.int(-100000, 100000));
  const output = r.pick([undefined, 'i8', 'i8', 'i16'] as const);
  const reach = 100000 + 9 * 128 * (dtype === 'i8' ? 255 : 32768);
  return agree('conv2d', [x, weights, { dtype: 'i32', shape: [c], data, constant: true }], {
    strides,
    pads,
    dilations,
    groups: c,
    ...(output === undefined ? {} : { stage: stageFor(r, output, reach, c) }),
  });
}

describe('strips', () => {
  test('random geometry', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(700 + i);
      const pads = [r.int(0, 3), r.int(0, 3), r.int(0, 3), r.int(0, 3)];
      const k = { n: r.int(1, 3), h: r.int(3, 9), w: r.int(3, 9), c: r.pick([16, 17, 23, 24, 31, 40]), pads };
      expect(await run(r, k)).toBe('depthwise_i8_strips');
    }
  });

  test('images that are narrower than the kernel', async () => {
    for (const [h, w] of [
      [1, 1],
      [1, 5],
      [5, 1],
      [2, 2],
    ] as const)
      expect(await run(new Random(h * 8 + w), { h, w, c: 16, pads: [1, 1, 1, 1] })).toBe('depthwise_i8_strips');
  });

  test('ends of the types', async () => {
    for (const x of [-128, 127])
      for (const w of [-128, 127])
        for (const zp of [-128, 0, 127])
          await run(new Random(3), { h: 4, w: 5, c: 16, pads: [1, 0, 0, 2], zp, fill: [x, w] });
  });

  test('left to the ordinary kernels', async () => {
    const r = new Random(1);
    for (const k of [
      { strides: [2, 1] },
      { strides: [1, 2] },
      { dilations: [2, 1] },
      { dilations: [1, 2] },
      { dtype: 'i16' as const },
      { c: 8 },
    ])
      expect(await run(r, { h: 7, w: 7, c: 16, pads: [1, 1, 1, 1], ...k })).not.toBe('depthwise_i8_strips');
  });
});
