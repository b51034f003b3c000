/** The wasm kernels against the reference, op by op. */
import { describe, expect, test } from 'vitest';
import { agree, Random, stageFor } from './wasm-harness.ts';

const i32 = (n: number, f: (i: number) => number): Int32Array => Int32Array.from({ length: n }, (_, i) => f(i));

function bias(r: Random, o: number, reach = 100000) {
  return { dtype: 'i32' as const, shape: [o], data: i32(o, () => r.int(-reach, reach)), constant: true };
}

function stages(r: Random, reach: number, channels: number) {
  const kind = r.int(0, 2);
  return kind === 0 ? {} : { stage: stageFor(r, kind === 1 ? 'i8' : 'i16', reach, channels) };
}

async function convCase(r: Random, c: { o?: number; cg?: number; groups?: number; kh?: number; kw?: number; h?: number; w?: number; n?: number; s?: number; d?: number; pads?: number[]; dtype?: 'i8' | 'i16' }) {
  const dtype = c.dtype ?? r.pick(['i8', 'i8', 'i16'] as const);
  const groups = c.groups ?? r.pick([1, 1, 2, 3]);
  const cg = c.cg ?? r.pick([1, 2, 3, 4, 8, 16]);
  const o = groups * (c.o ?? r.pick([1, 2, 5, 8]));
  const [kh, kw] = [c.kh ?? r.int(1, 4), c.kw ?? r.int(1, 4)];
  const d = c.d ?? r.pick([1, 1, 2, 3]);
  const s = c.s ?? r.int(1, 3);
  const pads = c.pads ?? [r.int(0, 3), r.int(0, 3), r.int(0, 3), r.int(0, 3)];
  const h = Math.max(c.h ?? r.int(1, 7), (kh - 1) * d + 1 - pads[0]! - pads[2]!, 1);
  const w = Math.max(c.w ?? r.int(1, 9), (kw - 1) * d + 1 - pads[1]! - pads[3]!, 1);
  const x = r.tensor(dtype, [c.n ?? r.int(1, 2), h, w, cg * groups], { zp: dtype === 'i8' ? r.pick([-128, 127, 0, -3]) : 0 });
  const weights = r.tensor('i8', [o, kh, kw, cg], { constant: true });
  const reach = 100000 + kh * kw * cg * 128 * (dtype === 'i8' ? 255 : 32768);
  return agree('conv2d', [x, weights, bias(r, o)], { strides: [s, r.pick([s, 1])], pads, dilations: [d, r.pick([d, 1])], groups, ...stages(r, reach, o) });
}

describe('conv2d', () => {
  test('random geometry', async () => {
    const names = new Set<string>();
    for (let i = 0; i < 250; i++) names.add(await convCase(new Random(1000 + i), {}));
    expect([...names].sort()).toEqual(['conv_im2col_i16', 'conv_im2col_i8', 'depthwise_i16', 'depthwise_i8']);
  });
  test('depthwise of every width', async () => {
    for (let i = 0; i < 120; i++) {
      const r = new Random(5000 + i);
      const k = r.pick([1, 2, 3, 3, 3, 5]);
      expect(await convCase(r, { groups: r.int(1, 35), cg: 1, o: 1, kh: k, kw: r.pick([k, k, 1]) })).toMatch(/^depthwise/);
    }
  });
  test('1×1 of every output count', async () => {
    for (let o = 2; o <= 17; o++) {
      const r = new Random(7000 + o);
      expect(await convCase(r, { groups: 1, kh: 1, kw: 1, s: 1, pads: [0, 0, 0, 0], o, w: ((o * 5) % 9) + 1, cg: o % 4 === 0 ? 16 : o })).toMatch(/^conv1x1/);
    }
  });
  test('blocks of more than one pass', async () => {
    await convCase(new Random(1), { groups: 1, cg: 8, kh: 3, kw: 3, h: 24, w: 23, n: 2, s: 1, pads: [1, 1, 1, 1], o: 9, d: 1 });
    await convCase(new Random(2), { groups: 1, cg: 3, kh: 3, kw: 3, h: 33, w: 31, n: 1, s: 2, pads: [0, 0, 1, 1], o: 16, d: 1, dtype: 'i8' });
  });
});

describe('dense', () => {
  test('K and O at their corners', async () => {
    for (const k of [0, 1, 2, 3, 7, 8, 1031]) {
      for (const o of [1, 3, 8, 9, 17]) {
        for (const rows of [1, 2, 5]) {
          const r = new Random(k * 1000 + o * 10 + rows);
          const dtype = k > 500 ? 'i8' : r.pick(['i8', 'i16'] as const);
          const x = r.tensor(dtype, rows === 1 ? [k] : [rows, k], { zp: dtype === 'i8' ? r.pick([-128, 127, 3]) : 0 });
          const reach = 100000 + k * 128 * (dtype === 'i8' ? 255 : 32768);
          await agree('dense', [x, r.tensor('i8', [o, k], { constant: true }), bias(r, o)], stages(r, reach, o));
        }
      }
    }
  });
  test('i4 blocks', async () => {
    for (let i = 0; i < 60; i++) {
      const r = new Random(300 + i);
      const [k, o, rows, block] = [r.int(1, 70), r.int(1, 11), r.pick([1, 1, 3, 4]), r.pick([16, 32, 64])];
      const dtype = r.pick(['i8', 'i16'] as const);
      const x = r.tensor(dtype, [rows, k], { zp: dtype === 'i8' ? r.pick([-128, 127]) : 0 });
      const packed = new Int8Array((o * k + 1) >> 1);
      for (let j = 0; j < packed.length; j++) packed[j] = j === packed.length - 1 && (o * k) % 2 === 1 ? r.int(0, 15) : r.int(-128, 127);
      const w = { dtype: 'i4' as const, shape: [o, k], data: packed, constant: true };
      const u = r.tensor('i8', [o, Math.ceil(k / block)], { lo: -127, hi: 127, zp: -128, constant: true });
      const narrow = dtype === 'i16' ? { ...x, lo: -10000, hi: 10000, data: x.data.map((v) => v % 10000) as Int16Array } : x;
      await agree('dense', [narrow, w, bias(r, o), u], { block, ...stages(r, 100000 + k * 8 * 255 * (dtype === 'i8' ? 255 : 10000), o) });
    }
  });
});

describe('matmul', () => {
  test('batches, broadcast, transposed', async () => {
    for (let i = 0; i < 150; i++) {
      const r = new Random(40 + i);
      const [m, k, n] = [r.pick([1, 1, 2, 4, 7, 9]), r.pick([0, 1, 2, 3, 8, 33]), r.pick([1, 3, 8, 9, 16, 17])];
      const rank = r.int(0, 3);
      const batch = Array.from({ length: rank }, () => r.int(1, 3));
      const side = (): number[] => batch.slice(r.int(0, rank)).map((d) => r.pick([d, 1]));
      const tb = r.int(0, 1) === 1;
      const [ta, tc] = [r.pick(['i8', 'i16'] as const), r.pick(['i8', 'i16'] as const)];
      const limit = ta === 'i16' && tc === 'i16' ? 8000 : 32768;
      const bounds = (t: string) => (t === 'i16' ? { lo: -limit, hi: Math.min(limit, 32767) } : {});
      const a = r.tensor(ta, [...side(), m, k], bounds(ta));
      const b = r.tensor(tc, [...side(), ...(tb ? [n, k] : [k, n])], bounds(tc));
      const reach = k * (ta === 'i16' ? limit : 128) * (tc === 'i16' ? limit : 128);
      const s = stages(r, reach, 1);
      await agree('matmul', [a, b], { tb, ...s });
    }
  });
  test('full-range i16 pairs wrap', async () => {
    const a = { dtype: 'i16' as const, shape: [5, 1], data: new Int16Array(5).fill(-32768) };
    const b = { dtype: 'i16' as const, shape: [1, 3], data: new Int16Array(3).fill(-32768) };
    await agree('matmul', [a, b], {});
  });
});

describe('elementwise', () => {
  test('linear2 over dtypes and broadcasts', async () => {
    for (let i = 0; i < 300; i++) {
      const r = new Random(90 + i);
      const rank = r.int(0, 5);
      const shape = Array.from({ length: rank }, () => r.pick([0, 1, 2, 3, 5, 9].slice(i % 10 === 0 ? 0 : 1)));
      const side = (): number[] => shape.slice(r.int(0, rank)).map((d) => r.pick([d, d, 1]));
      const type = (): { dtype: 'i8' | 'i16' | 'i32'; lo: number; hi: number; zp: number } => {
        const dtype = r.pick(['i8', 'i16', 'i32'] as const);
        return dtype === 'i8' ? { dtype, lo: -128, hi: 127, zp: r.pick([-128, 127, 7]) } : dtype === 'i16' ? { dtype, lo: -32768, hi: 32767, zp: 0 } : { dtype, lo: -40000, hi: 40000, zp: 0 };
      };
      const [ta, tb, to] = [type(), type(), type()];
      const s = r.pick([0, 1, 7, 14]);
      const limit = s === 14 ? 20000 : 10000;
      const ma = r.pick([1, -1, limit | 1, -(limit | 1), 3]);
      const mb = r.pick([1, -1, limit | 1, 0, 2]);
      const output = { dtype: to.dtype, zp: to.zp, lo: to.dtype === 'i8' ? r.pick([-128, -5]) : -30000, hi: to.dtype === 'i8' ? 127 : r.pick([30000, 32767]) };
      const second = r.int(0, 4) > 0;
      await agree('linear2', [r.tensor(ta.dtype, second ? side() : shape, ta), second ? r.tensor(tb.dtype, shape, tb) : undefined], { ma, mb: second ? mb : 0, s, output });
    }
  });
  test('rescale', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(60 + i);
      const dtype = r.pick(['i8', 'i16', 'i32'] as const);
      const shape = Array.from({ length: r.int(0, 3) }, () => r.int(1, 19));
      const x = r.tensor(dtype, shape, dtype === 'i8' ? { zp: r.pick([-128, 127]) } : dtype === 'i32' ? { lo: -2147483647 } : {});
      const reach = dtype === 'i8' ? 255 : dtype === 'i16' ? 32768 : 2147483647;
      await agree('rescale', [x], { stage: stageFor(r, r.pick(['i8', 'i16'] as const), reach, shape[shape.length - 1] ?? 1) });
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
      await agree('lut16', [x, nodes], { s: small ? r.int(13, 22) : r.int(7, 9), output: small ? { dtype: 'i8', zp: r.pick([-128, 4]), lo: -128, hi: 127 } : { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 } });
    }
  });
});

describe('pools', () => {
  test('windows, dilation, pads, overhang', async () => {
    let done = 0;
    for (let i = 0; done < 150; i++) {
      const r = new Random(20 + i);
      const dtype = r.pick(['i8', 'i16'] as const);
      const x = r.tensor(dtype, [r.int(1, 2), r.int(1, 9), r.int(1, 9), r.int(1, 35)], dtype === 'i8' ? { zp: r.pick([-128, 127, 0]) } : {});
      const strides = [r.int(1, 3), r.int(1, 3)];
      const a = {
        kernel: [r.int(1, 4), r.int(1, 4)], strides, dilations: [r.pick([1, 1, 2, 3]), r.pick([1, 1, 2])],
        pads: [r.int(0, 3), r.int(0, 3), r.int(0, 3), r.int(0, 3)], overhang: [r.int(0, strides[0]! - 1), r.int(0, strides[1]! - 1)],
      };
      try {
        await agree('max_pool2d', [x], a);
        const s = stageFor(r, r.pick(['i8', 'i16'] as const), 16 * (dtype === 'i8' ? 255 : 32768), 1) as { l: number; m: Int32Array };
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
      const parts = Array.from({ length: r.int(1, 4) }, (_, k) => r.tensor(dtype, shape.map((d, j) => (j === axis ? r.int(k === 0 ? 1 : 0, 20) : d))));
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
      const value = mode !== 'constant' ? undefined : r.tensor(dtype, vector ? [shape[last]! + before[last]! + after[last]!] : [], { constant: true });
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
      const span = dtype === 'i32' ? r.pick([{ lo: -1000000, hi: 1000000 }, { lo: -2147483648, hi: -1 }]) : {};
      const x = r.tensor(dtype, shape, span);
      const mask = r.int(0, 2) === 0 ? r.tensor('bool', shape.slice(r.int(0, shape.length - 1)).map((d) => r.pick([d, d, 1]))) : undefined;
      const causal = shape.length > 1 && r.int(0, 1) === 1;
      const given = causal && r.int(0, 1) === 1 ? { dtype: 'i32' as const, shape: [1], lo: -400, hi: 400, data: Int32Array.of(r.int(-5, 5)) } : undefined;
      const [l, m] = r.pick([[14, 1640000000], [0, 536870912], [7, 1073741825], [0, 0], [24, 2147483647], [0, 70000]]) as [number, number];
      const output = r.pick([{ dtype: 'i16', zp: 0, lo: 0, hi: 32767 }, { dtype: 'i8', zp: -128, lo: -128, hi: 127 }, { dtype: 'i8', zp: 3, lo: -10, hi: 100 }]);
      await agree('softmax', [x, mask, given], { l, m, o: r.pick([15, 15, 8, 1]), output, causal, offset: causal && given === undefined ? r.int(-3, 3) : 0 });
    }
  });
  test('softmax offsets at the ends of i32', async () => {
    const r = new Random(3);
    for (const offset of [-2147483648, 2147483640]) {
      await agree('softmax', [r.tensor('i8', [3, 5])], { l: 14, m: 1640000000, o: 15, output: { dtype: 'i16', zp: 0, lo: 0, hi: 32767 }, causal: true, offset });
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
  test('layer_norm', async () => {
    for (let i = 0; i < 150; i++) {
      const r = new Random(1100 + i);
      const dtype = r.pick(['i8', 'i16'] as const);
      const n = r.pick([1, 2, 3, 8, 17, 64, 300]);
      const x = r.tensor(dtype, [r.int(1, 3), n], r.pick([{}, { lo: -1, hi: 0 }, { lo: 5, hi: 5 }]));
      const gamma = r.tensor('i32', [n], { constant: true });
      const beta = r.tensor('i32', [n], { lo: -1073741823, hi: 1073741823, constant: true });
      const output = r.pick([{ dtype: 'i16', zp: 0, lo: -32768, hi: 32767 }, { dtype: 'i8', zp: -128, lo: -128, hi: 127 }, { dtype: 'i8', zp: 9, lo: -5, hi: 60 }]);
      const eps = r.pick([1n, 281474976710655n, 123456789n, 4294967296n]);
      await agree('layer_norm', [{ ...x, zp: dtype === 'i8' ? r.pick([-128, 127, 0]) : 0 }, gamma, beta], { eps, g: r.pick([0, 1, 9, 16]), output });
    }
    for (const v of [-32768, 32767]) {
      const x = { dtype: 'i16' as const, shape: [65536], data: new Int16Array(65536).fill(v) };
      const c = (value: number) => ({ dtype: 'i32' as const, shape: [65536], data: new Int32Array(65536).fill(value), constant: true });
      await agree('layer_norm', [x, c(2147483647), c(-5)], { eps: 1n, g: 3, output: { dtype: 'i8', zp: 0, lo: -128, hi: 127 } });
    }
  });
});

describe('lstm', () => {
  test('both directions, one row and many', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(1300 + i);
      const [t, n, d, h] = [r.pick([0, 1, 2, 4]), r.pick([1, 1, 2, 5]), r.pick([0, 1, 3, 8, 19]), r.pick([1, 2, 5, 8])];
      const q = r.pick(['i8', 'i16'] as const);
      const tx = r.pick(['i8', 'i16'] as const);
      const reach = (k: number, type: string) => 100000 + k * 128 * (type === 'i8' ? 255 : 32768);
      const mul = (k: number, type: string) => stageFor(r, 'i16', reach(k, type), 4 * h) as { m: Int32Array; l: number };
      const [px, ph] = [mul(d, tx), mul(h, q)];
      const table = (lo: number) => r.tensor('i16', [513], { lo, constant: true });
      const [lo, hi] = q === 'i8' ? [-128, 127] : [-32768, 32767];
      await agree(
        'lstm',
        [
          r.tensor(tx, [t, n, d], { zp: tx === 'i8' ? r.pick([-128, 127]) : 0 }), r.tensor('i8', [4 * h, d], { constant: true }),
          r.tensor('i8', [4 * h, h], { constant: true }), bias(r, 4 * h), r.tensor(q, [n, h]), r.tensor('i16', [n, h]), table(0), table(-32768), table(-32768),
        ],
        { mx: px.m, lx: px.l, mh: ph.m, lh: ph.l, kc: r.pick([0, 3, 8]), qh: q === 'i8' ? 7 : 15, lo, hi, reverse: r.int(0, 1) === 1 },
      );
    }
  });
});
