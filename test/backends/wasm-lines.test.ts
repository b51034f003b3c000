/** The wasm kernels of transposed convolutions, orders, draws and rotations against the reference. */
import { describe, expect, test } from 'vitest';
import { phasesOf } from '../../src/backends/phases.ts';
import { agree, type Operand, Random, Refused, stageFor } from './wasm-harness.ts';

const SHORT = ['i8', 'i16'] as const;

describe('conv_transpose2d', () => {
  const weights = (r: Random, shape: readonly number[]): Operand =>
    r.tensor('i8', shape, r.pick([{}, { lo: -127 }, { lo: -9, hi: 9 }]));
  test('strides, dilations, pads, groups', async () => {
    let ran = 0;
    for (let i = 0; i < 400; i++) {
      const r = new Random(8000 + i);
      const groups = r.pick([1, 1, 2, 3]);
      const depthwise = r.int(0, 4) === 0;
      const [cg, og] = depthwise ? [1, 1] : [r.pick([1, 2, 3, 8, 9]), r.pick([1, 2, 5, 8, 9, 17])];
      const g = depthwise ? r.pick([3, 8, 17]) : groups;
      const dtype = r.pick(SHORT);
      const reach = dtype === 'i8' ? { zp: r.pick([-128, 127, 0, 5]) } : { lo: -3000, hi: 2999 };
      const x = r.tensor(dtype, [r.int(1, 2), r.int(1, 5), r.int(1, 5), g * cg], reach);
      const kernel = [r.int(1, 5), r.int(1, 5)];
      const strides = [r.int(1, 4), r.int(1, 4)];
      const dilations = [r.pick([1, 1, 2, 3]), r.pick([1, 1, 2, 4])];
      const attrs = {
        strides,
        dilations,
        pads: [r.int(0, 2), r.int(0, 2), r.int(0, 2), r.int(0, 2)],
        groups: g,
        output_padding: strides.map((s, k) => r.int(0, Math.max(s, dilations[k]!) - 1)),
      };
      const w = weights(r, [g * og, ...kernel, cg]);
      const b = r.tensor('i32', [g * og], { lo: -9999, hi: 9999 });
      const most = kernel[0]! * kernel[1]! * cg * 128 * (dtype === 'i8' ? 255 : 3000) + 10000;
      const stage = r.int(0, 3) === 0 ? {} : { stage: stageFor(r, r.pick(SHORT), most, g * og) };
      try {
        await agree('conv_transpose2d', [x, { ...w, constant: true }, { ...b, constant: true }], {
          ...attrs,
          ...stage,
        });
        ran++;
      } catch (e) {
        if (!(e instanceof Refused)) throw e;
      }
    }
    expect(ran).toBeGreaterThan(300);
  });
  test('more phases than products', async () => {
    const r = new Random(8500);
    for (const stage of [{}, { stage: stageFor(r, 'i8', 128 * 255 * 2 + 9999, 3) }]) {
      const x = r.tensor('i8', [2, 2, 3, 2], { zp: -7 });
      const [w, b] = [r.tensor('i8', [3, 9, 11, 2]), r.tensor('i32', [3], { lo: -9999, hi: 9999 })];
      const attrs = { strides: [9, 10], dilations: [1, 1], pads: [1, 0, 2, 3], groups: 1, output_padding: [8, 3] };
      await agree('conv_transpose2d', [x, { ...w, constant: true }, { ...b, constant: true }], { ...attrs, ...stage });
    }
  });
  test('phases hold each tap of each output once', () => {
    const r = new Random(8600);
    for (let i = 0; i < 300; i++) {
      const [kernel, stride, dilation, pad, out] = [r.int(1, 9), r.int(1, 7), r.int(1, 7), r.int(0, 9), r.int(1, 40)];
      const met = new Map<number, string[]>();
      for (const p of phasesOf(kernel, stride, dilation, pad, out))
        for (let q = 0; q < p.count; q++)
          met.set(
            p.first + q * stride,
            p.taps.map((k, j) => `${k} at ${q - p.pad + j * p.dilation}`),
          );
      for (let o = 0; o < out; o++) {
        const taps = Array.from({ length: kernel }, (_, k) => [k, (o + pad - k * dilation) / stride] as const);
        const expected = taps.filter(([, at]) => Number.isInteger(at)).map(([k, at]) => `${k} at ${at}`);
        expect((met.get(o) ?? []).sort()).toEqual(expected.sort());
      }
    }
  });
});

describe('orders and draws', () => {
  test('topk of ties and of distinct values, along every axis', async () => {
    for (let i = 0; i < 250; i++) {
      const r = new Random(8700 + i);
      const shape = Array.from({ length: r.int(1, 3) }, () => r.pick([1, 2, 3, 8, 9, 40]));
      const axis = r.int(0, shape.length - 1);
      const dtype = r.pick(['i8', 'i16', 'i32'] as const);
      const x = r.tensor(dtype, shape, r.pick([{}, { lo: -2, hi: 2 }, { lo: 5, hi: 5 }]));
      const k = r.pick([1, shape[axis]!, r.int(1, shape[axis]!)]);
      await agree('topk', [x], { axis, k, smallest: r.int(0, 1) === 1 });
    }
    const r = new Random(9000);
    await agree('topk', [r.tensor('i16', [3000])], { axis: 0, k: 50, smallest: false });
  });
  test('sample with and without an order', async () => {
    for (let i = 0; i < 200; i++) {
      const r = new Random(9100 + i);
      const v = r.pick([1, 2, 7, 33, 400]);
      const dtype = r.pick(SHORT);
      const x = r.tensor(dtype, [r.int(1, 3), v], r.pick([{}, { lo: -4, hi: 4 }]));
      const words = [r.tensor('i32', [2]), r.tensor('i32', [1])];
      const k = r.pick([0, 1, v, r.int(1, v)]);
      const l = r.int(0, dtype === 'i8' ? 22 : 12);
      const m = l > 0 ? r.int(1073741824, 2147483647) : r.int(0, 2147483647);
      await agree('sample', [x, ...words], { l, m, k, p16: k === 0 ? 65536 : r.pick([1, 65536, r.int(1, 65535)]) });
    }
  });
});

test('rope of pairs and of halves', async () => {
  for (let i = 0; i < 250; i++) {
    const r = new Random(9400 + i);
    const d = r.pick([2, 3, 4, 8, 15, 16, 17, 34, 64]);
    const dtype = r.pick(SHORT);
    const x = r.tensor(
      dtype,
      [r.int(1, 3), r.int(1, 3), r.int(1, 5), d],
      dtype === 'i8' ? {} : r.pick([{}, { lo: -9 }]),
    );
    const step = r.fill(new Int32Array(r.pick([1, d >> 1, r.int(1, d >> 1)])), -2147483648, 2147483647);
    const given = r.int(0, 1) === 1 ? [r.tensor('i32', [1])] : [];
    const position = given.length > 0 ? 0 : r.int(-2147483648, 2147483647);
    const stage = stageFor(r, r.pick(SHORT), 23171 * (dtype === 'i8' ? 128 : 32768), 1);
    await agree('rope', [x, ...given], { step, interleaved: r.int(0, 1) === 1, position, stage });
  }
});
