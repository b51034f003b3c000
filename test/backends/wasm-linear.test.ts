/** The wasm kernels with weights, and matmul, against the reference. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agree, FC, Random, stageFor } from './wasm-harness.ts';

const i32 = (n: number, f: (i: number) => number): Int32Array => Int32Array.from({ length: n }, (_, i) => f(i));

function bias(r: Random, o: number, reach = 100000) {
  return { dtype: 'i32' as const, shape: [o], data: i32(o, () => r.int(-reach, reach)), constant: true };
}

function stages(r: Random, reach: number, channels: number) {
  const kind = r.int(0, 2);
  return kind === 0 ? {} : { stage: stageFor(r, kind === 1 ? 'i8' : 'i16', reach, channels) };
}

async function convCase(
  r: Random,
  c: {
    o?: number;
    cg?: number;
    groups?: number;
    kh?: number;
    kw?: number;
    h?: number;
    w?: number;
    n?: number;
    s?: number;
    d?: number;
    pads?: number[];
    dtype?: 'i8' | 'i16';
  },
) {
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
  const x = r.tensor(dtype, [c.n ?? r.int(1, 2), h, w, cg * groups], {
    zp: dtype === 'i8' ? r.pick([-128, 127, 0, -3]) : 0,
  });
  const weights = r.tensor('i8', [o, kh, kw, cg], { constant: true });
  const reach = 100000 + kh * kw * cg * 128 * (dtype === 'i8' ? 255 : 32768);
  return agree('conv2d', [x, weights, bias(r, o)], {
    strides: [s, r.pick([s, 1])],
    pads,
    dilations: [d, r.pick([d, 1])],
    groups,
    ...stages(r, reach, o),
  });
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
      expect(await convCase(r, { groups: r.int(1, 35), cg: 1, o: 1, kh: k, kw: r.pick([k, k, 1]) })).toMatch(
        /^depthwise/,
      );
    }
  });
  test('1×1 of every output count', async () => {
    for (let o = 2; o <= 17; o++) {
      const r = new Random(7000 + o);
      expect(
        await convCase(r, {
          groups: 1,
          kh: 1,
          kw: 1,
          s: 1,
          pads: [0, 0, 0, 0],
          o,
          w: ((o * 5) % 9) + 1,
          cg: o % 4 === 0 ? 16 : o,
        }),
      ).toMatch(/^conv1x1/);
    }
  });
  test('blocks of more than one pass', async () => {
    await convCase(new Random(1), {
      groups: 1,
      cg: 8,
      kh: 3,
      kw: 3,
      h: 24,
      w: 23,
      n: 2,
      s: 1,
      pads: [1, 1, 1, 1],
      o: 9,
      d: 1,
    });
    await convCase(new Random(2), {
      groups: 1,
      cg: 3,
      kh: 3,
      kw: 3,
      h: 33,
      w: 31,
      n: 1,
      s: 2,
      pads: [0, 0, 1, 1],
      o: 16,
      d: 1,
      dtype: 'i8',
    });
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
      for (let j = 0; j < packed.length; j++)
        packed[j] = j === packed.length - 1 && (o * k) % 2 === 1 ? r.int(0, 15) : r.int(-128, 127);
      const w = { dtype: 'i4' as const, shape: [o, k], data: packed, constant: true };
      const u = r.tensor('i8', [o, Math.ceil(k / block)], { lo: -127, hi: 127, zp: -128, constant: true });
      const narrow =
        dtype === 'i16' ? { ...x, lo: -10000, hi: 10000, data: x.data.map((v) => v % 10000) as Int16Array } : x;
      await agree('dense', [narrow, w, bias(r, o), u], {
        block,
        ...stages(r, 100000 + k * 8 * 255 * (dtype === 'i8' ? 255 : 10000), o),
      });
    }
  });
  test('i4 panels of a length that is read ahead', async () => {
    // 64 rows of 384: the widened panel ends where the memory does
    for (const k of [256, 384, 768])
      for (const rows of [33, 64]) {
        const r = new Random(k + rows);
        const data = r.fill(new Int8Array(48 * k), -128, 127);
        const w = { dtype: 'i4' as const, shape: [96, k], data, constant: true };
        const u = r.tensor('i8', [96, k / 32], { lo: -127, hi: -100, zp: -128, constant: true });
        await agree('dense', [r.tensor('i8', [rows, k], { zp: 5 }), w, bias(r, 96), u], { block: 32 });
      }
  });
  test('i4 panels wider than a page of memory', async () => {
    const [k, r] = [16384, new Random(17)];
    const w = { dtype: 'i4' as const, shape: [8, k], data: r.fill(new Int8Array(4 * k), -128, 127), constant: true };
    const u = r.tensor('i8', [8, k / 64], { lo: -127, hi: -120, zp: -128, constant: true });
    await agree('dense', [r.tensor('i8', [2, k], { zp: -128 }), w, bias(r, 8), u], { block: 64 });
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

describe('lstm', () => {
  test('both directions, one row and many', async () => {
    for (let i = 0; i < 80; i++) {
      const r = new Random(1300 + i);
      const [t, n, d, h] = [r.pick([0, 1, 2, 4]), r.pick([1, 1, 2, 5]), r.pick([0, 1, 3, 8, 19]), r.pick([1, 2, 5, 8])];
      const q = r.pick(['i8', 'i16'] as const);
      const tx = r.pick(['i8', 'i16'] as const);
      const reach = (k: number, type: string) => 100000 + k * 128 * (type === 'i8' ? 255 : 32768);
      const mul = (k: number, type: string) =>
        stageFor(r, 'i16', reach(k, type), 4 * h) as { m: Int32Array; l: number };
      const [px, ph] = [mul(d, tx), mul(h, q)];
      const table = (lo: number) => r.tensor('i16', [513], { lo, constant: true });
      const [lo, hi] = q === 'i8' ? [-128, 127] : [-32768, 32767];
      await agree(
        'lstm',
        [
          r.tensor(tx, [t, n, d], { zp: tx === 'i8' ? r.pick([-128, 127]) : 0 }),
          r.tensor('i8', [4 * h, d], { constant: true }),
          r.tensor('i8', [4 * h, h], { constant: true }),
          bias(r, 4 * h),
          r.tensor(q, [n, h]),
          r.tensor('i16', [n, h]),
          table(0),
          table(-32768),
          table(-32768),
        ],
        {
          mx: px.m,
          lx: px.l,
          mh: ph.m,
          lh: ph.l,
          kc: r.pick([0, 3, 8]),
          qh: q === 'i8' ? 7 : 15,
          lo,
          hi,
          reverse: r.int(0, 1) === 1,
        },
      );
    }
  });
});

describe('any geometry', () => {
  test('conv2d', async () => {
    const geometry = fc.record({
      seed: fc.nat(),
      dtype: fc.constantFrom('i8' as const, 'i16' as const),
      n: fc.integer({ min: 0, max: 2 }),
      h: fc.integer({ min: 1, max: 9 }),
      w: fc.integer({ min: 1, max: 9 }),
      cg: fc.integer({ min: 1, max: 17 }),
      groups: fc.integer({ min: 1, max: 4 }),
      o: fc.integer({ min: 1, max: 17 }),
      kh: fc.integer({ min: 1, max: 5 }),
      kw: fc.integer({ min: 1, max: 5 }),
      s: fc.integer({ min: 1, max: 3 }),
      d: fc.integer({ min: 1, max: 3 }),
      pads: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(geometry, async ({ seed, ...c }) => void (await convCase(new Random(seed), c))),
      FC,
    );
  });
  test('dense', async () => {
    const shape = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 0, max: 9 }),
      k: fc.integer({ min: 0, max: 40 }),
      o: fc.integer({ min: 1, max: 17 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ seed, rows, k, o }) => {
        const r = new Random(seed);
        const x = r.tensor('i8', [rows, k], { zp: r.int(-128, 127) });
        await agree(
          'dense',
          [x, r.tensor('i8', [o, k], { constant: true }), bias(r, o)],
          stages(r, 100000 + k * 128 * 255, o),
        );
      }),
      FC,
    );
  });
});
