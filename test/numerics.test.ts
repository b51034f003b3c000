/** The primitives against the golden vectors, and against their definitions in BigInt at and around every boundary. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXP2, exponent, expweight } from '../src/core/exp2.ts';
import * as int from '../src/core/int.ts';
import { LOG2, log2q } from '../src/core/log2.ts';
import { SIN, sinq } from '../src/core/sin.ts';
import { threefry } from '../src/core/threefry.ts';
import { normScale } from '../src/ops/norm.ts';
import { readGolden, type Vector, vectorFiles } from './golden.ts';

type Args = Readonly<Record<string, number>>;

const PRIMITIVES: Readonly<Record<string, (a: Args) => unknown>> = {
  bitlen: (a) => int.bitlen(a.v!),
  clamp: (a) => int.clamp(a.v!, a.lo!, a.hi!),
  divq: (a) => int.divq(a.e!, a.s!, a.o!),
  exponent: (a) => exponent(a.d!, a.l!, a.m!),
  expweight: (a) => expweight(a.t!, a.e!),
  floor_div: (a) => int.floorDiv(a.a!, a.n!),
  isqrt: (a) => int.isqrt(a.v!),
  log2q: (a) => log2q(a.s!),
  mulhi: (a) => int.mulhi(a.a!, a.b!),
  mulhr: (a) => int.mulhr(a.x!, a.m!),
  norm_scale: (a) => {
    const { k, r } = normScale(a.V!);
    return { k, R: r };
  },
  round_div: (a) => int.roundDiv(a.a!, a.n!),
  rsh: (a) => int.rsh(a.x!, a.s!),
  sin_q14: (a) => sinq(a.ph!),
  threefry: (a) => threefry(a.k0!, a.k1!, a.c0!, a.c1!),
  stage: (a) => int.stage(a.acc!, a.m!, a.l!, a.zp!, a.lo!, a.hi!),
};

describe('golden vectors of the primitives', () => {
  const files = vectorFiles('numerics').filter((f) => f !== 'tables');
  it('every file is run', () => {
    const unknown = files.filter((f) => PRIMITIVES[f.replace('_corners', '')] === undefined);
    expect(unknown).toEqual([]);
    expect(files.length).toBe(22);
  });
  for (const file of files) {
    it(file, () => {
      const vectors = readGolden('numerics', file);
      expect(vectors.length).toBeGreaterThan(10);
      for (const { op, inputs, expected } of vectors as Vector[]) {
        expect(PRIMITIVES[op]!(inputs as Args), JSON.stringify(inputs)).toEqual(expected);
      }
    });
  }
  it.each([
    ['EXP2', EXP2, 'cfff41030c84e32c3c8367713deb41af92986a3f1549646d412a3fcc8e4206ce'],
    ['LOG2', LOG2, 'b9b34db0f9dcb32bb81a0a6c58a6bf8b2f01b20e8ecc9da3363efa1e95341397'],
    ['SIN', SIN, 'fc5f2210712a64118135be9f530c8b5305eb26c75569d00ba188911e105157cb'],
  ])('tables: %s and its SHA-256', (name, table, sha256) => {
    const tables = readGolden<Record<string, number[]> & { sha256: Record<string, string> }>('numerics', 'tables');
    expect([...table]).toEqual(tables[name]);
    const size = table.BYTES_PER_ELEMENT;
    const bytes = Buffer.alloc(table.length * size);
    for (const [i, v] of table.entries()) bytes.writeUIntLE(v, size * i, size);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(tables.sha256[name]);
    expect(tables.sha256[name]).toBe(sha256);
  });
});

/** Values at and next to ± powers of two within lo…hi, mixed with uniform and log-uniform ones. */
function edgy(lo: number, hi: number): fc.Arbitrary<number> {
  const edges = [0, lo, lo + 1, hi, hi - 1];
  for (let k = 0; k < 52; k++) for (const s of [-1, 1]) for (const d of [-1, 0, 1]) edges.push(s * 2 ** k + d);
  const small = fc
    .tuple(fc.integer({ min: 0, max: 31 }), fc.maxSafeInteger())
    .map(([k, v]) => Math.trunc(v / 2 ** (k + 22)));
  const all = fc.oneof(
    fc.constantFrom(...edges),
    fc.integer({ min: Math.max(lo, -(2 ** 31)), max: Math.min(hi, 2 ** 31 - 1) }),
    small,
  );
  return all.map((v) => Math.min(hi, Math.max(lo, v)) + 0);
}

/** floor(a / n) for n > 0. */
function floorBig(a: bigint, n: bigint): bigint {
  const q = a / n;
  return q * n > a ? q - 1n : q;
}

const B = BigInt;
const I32 = edgy(-(2 ** 31), 2 ** 31 - 1);
const POSITIVE = edgy(1, 2 ** 31 - 1);
const RUNS = { numRuns: 5000, seed: 20240611 };

/** A value that equals what the definition says, and is not −0. */
function same(actual: number, defined: bigint): void {
  if (B(actual) !== defined || Object.is(actual, -0)) expect(actual).toBe(Number(defined));
}

describe('definitions in BigInt', () => {
  const check = <T extends unknown[]>(
    name: string,
    arbs: { [K in keyof T]: fc.Arbitrary<T[K]> },
    f: (...args: T) => void,
  ): void =>
    it(name, () =>
      fc.assert(fc.property(...(arbs as unknown as [fc.Arbitrary<T[0]>]), f as (...a: unknown[]) => void), RUNS),
    );

  check('floorDiv', [edgy(-(2 ** 52), 2 ** 52), POSITIVE], (a, n) => same(int.floorDiv(a, n), floorBig(B(a), B(n))));
  check('floorDiv next to multiples', [edgy(-(2 ** 20), 2 ** 20), POSITIVE, fc.constantFrom(-1, 0, 1)], (q, n, d) => {
    const a = q * n + d;
    same(int.floorDiv(a, n), floorBig(B(a), B(n)));
  });
  check('roundDiv', [edgy(-(2 ** 50), 2 ** 50), POSITIVE], (a, n) =>
    same(int.roundDiv(a, n), floorBig(2n * B(a) + B(n), 2n * B(n))),
  );
  check('roundDiv next to ties', [edgy(-(2 ** 18), 2 ** 18), POSITIVE, fc.constantFrom(-1, 0, 1)], (q, n, d) => {
    const a = q * n + Math.floor(n / 2) + d;
    same(int.roundDiv(a, n), floorBig(2n * B(a) + B(n), 2n * B(n)));
  });
  check('mulhr', [I32, I32], (x, m) => same(int.mulhr(x, m), floorBig(B(x) * B(m) + 2n ** 31n, 2n ** 32n)));
  check('rsh', [I32, fc.integer({ min: 0, max: 31 })], (x, s) => {
    const half = (1n << B(s)) >> 1n;
    fc.pre(B(x) + half < 2n ** 31n);
    same(int.rsh(x, s), (B(x) + half) >> B(s));
  });
  check(
    'identity R: rsh is a stage with a power of two',
    [I32, fc.integer({ min: 2, max: 31 }), fc.integer({ min: 0, max: 24 })],
    (x, s, l) => {
      const k = 32 - s - l;
      fc.pre(k >= 0 && k <= 30 && Math.abs(x) * 2 ** l < 2 ** 31 && x + 2 ** (s - 1) < 2 ** 31);
      same(int.mulhr(x * 2 ** l, 2 ** k), B(int.rsh(x, s)));
    },
  );
  check(
    'stage',
    [I32, edgy(0, 2 ** 31 - 1), fc.integer({ min: 0, max: 24 }), fc.integer({ min: -128, max: 127 })],
    (acc, m, l, zp) => {
      const a = Math.trunc(acc / 2 ** l) + 0;
      fc.pre(Math.abs(a) * 2 ** l < 2 ** 31);
      const v = B(zp) + floorBig((B(a) << B(l)) * B(m) + 2n ** 31n, 2n ** 32n);
      same(int.stage(a, m, l, zp, -(2 ** 31), 2 ** 31 - 1), v);
      same(int.stage(a, m, l, zp, -128, 127), v < -128n ? -128n : v > 127n ? 127n : v);
    },
  );
  check('isqrt', [edgy(0, 2 ** 32 - 1), edgy(0, 65535), fc.constantFrom(-1, 0, 1)], (v, r, d) => {
    for (const n of [v, Math.max(0, Math.min(2 ** 32 - 1, r * r + d))]) {
      const root = B(int.isqrt(n));
      expect(root * root <= B(n) && B(n) < (root + 1n) * (root + 1n)).toBe(true);
    }
  });
  check('divq', [edgy(0, 2 ** 31 - 1), POSITIVE, fc.integer({ min: 0, max: 30 })], (e, s, o) => {
    const part = Math.min(e, s);
    same(int.divq(part, s, o), (B(part) * 2n ** B(o) + B(s) / 2n) / B(s));
  });
  check('bitlen', [edgy(0, 2 ** 52)], (v) => same(int.bitlen(v), v === 0 ? 0n : B(B(v).toString(2).length)));
  check(
    'lut16',
    [
      edgy(-32768, 32767),
      fc.integer({ min: 7, max: 22 }),
      fc.array(edgy(-32768, 32767), { minLength: 513, maxLength: 513 }),
    ],
    (x, s, table) => {
      const [i, f] = [(x + 32768) >> 7, (x + 32768) & 127];
      const inner = 128n * B(table[i]!) + (B(table[i + 1]!) - B(table[i]!)) * B(f);
      same(int.lut16(x, table, s, 0, -32768, 32767), (inner + (1n << B(s - 1))) >> B(s));
    },
  );
  check('exponent', [edgy(0, 2 ** 31 - 1), fc.integer({ min: 0, max: 24 }), edgy(2 ** 30, 2 ** 31 - 1)], (d, l, m) => {
    const cap = (2n ** 31n - 1n) >> B(l);
    const cut = B(d) < cap ? B(d) : cap;
    same(exponent(d, l, m), floorBig((cut << B(l)) * B(m) + 2n ** 31n, 2n ** 32n));
  });
  check('expweight', [edgy(0, 2 ** 30), fc.integer({ min: 0, max: 22 })], (t, e) => {
    const [n, i, r] = [B(t) >> 16n, (t >> 8) & 255, B(t & 255)];
    const [p, q] = [B(EXP2[i]!), B(EXP2[i + 1]!)];
    const v = p - (((p - q) * r + 128n) >> 8n);
    const s = n + 23n - B(e) < 25n ? n + 23n - B(e) : 25n;
    same(expweight(t, e), (v + ((1n << s) >> 1n)) >> s);
    expect(expweight(t, e)).toBeLessThanOrEqual(2 ** e);
  });
  check('normScale', [edgy(1, 2 ** 49 - 1)], (v) => {
    const { k, r } = normScale(v);
    const length = B(v).toString(2).length;
    expect(k).toBe(32 - length - ((((32 - length) % 2) + 2) % 2));
    const vn = k >= 0 ? B(v) << B(k) : B(v) >> B(-k);
    let root = B(Math.floor(Math.sqrt(Number(vn))));
    while (root * root > vn) root--;
    while ((root + 1n) * (root + 1n) <= vn) root++;
    const rest = ((vn - root * root) << 14n) / root;
    const s = (root << 15n) + (rest < 32767n ? rest : 32767n);
    same(r, (((2n ** 30n) << 30n) + s / 2n) / s);
    expect(r >= 2 ** 29 && r <= 2 ** 30).toBe(true);
  });
});
