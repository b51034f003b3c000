/** Depthwise convolutions along rows against the reference: images, pads, ends of the types, every output type and shift. */
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
  /** Type of the output; raw sums with none. */
  readonly output?: 'i8' | 'i16' | 'none';
  /** Shift of the stage. */
  readonly l?: number;
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
  const output = k.output ?? r.pick(['i8', 'i16'] as const);
  const reach = 100000 + 9 * 128 * (dtype === 'i8' ? 255 : 32768);
  const stage = output === 'none' ? undefined : stageFor(r, output, reach, c);
  if (stage !== undefined && k.l !== undefined)
    Object.assign(stage, { l: k.l, m: Int32Array.from({ length: c }, (_, i) => 2 ** 30 + i * 1000001) });
  return agree('conv2d', [x, weights, { dtype: 'i32', shape: [c], data, constant: true }], {
    strides,
    pads,
    dilations,
    groups: c,
    ...(stage === undefined ? {} : { stage }),
  });
}

describe('strips', () => {
  test('random geometry', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(700 + i);
      const pads = [r.int(0, 3), r.int(0, 3), r.int(0, 3), r.int(0, 3)];
      const k = { n: r.int(1, 3), h: r.int(3, 9), w: r.int(3, 9), c: r.pick([16, 24, 40]), pads };
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

  test('every shift that weights of 16 bits can take', async () => {
    for (let l = 1; l <= 8; l++)
      for (const output of ['i8', 'i16'] as const) {
        const kernel = await run(new Random(l), {
          h: 3,
          w: 4,
          c: 16,
          pads: [1, 1, 1, 1],
          output,
          l,
          fill: [-128, -128],
        });
        expect(kernel).toBe(l < 8 ? 'depthwise_i8_strips' : 'depthwise_i8_3x3');
      }
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
      { c: 17 },
      { c: 31 },
      { output: 'none' as const },
    ])
      expect(await run(r, { h: 7, w: 7, c: 16, pads: [1, 1, 1, 1], ...k })).not.toBe('depthwise_i8_strips');
  });
});
