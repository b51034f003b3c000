/** Polynomials against their values, and dims against their definition. */
import { expect, it } from 'vitest';
import { addDim, affine, type Dim, dimAt, greatest, isSymbol, least, sameDim, sameShape } from '../../src/core/dim.ts';
import {
  add,
  constant,
  degree,
  fromDim,
  mul,
  type Poly,
  polyAt,
  product,
  samePoly,
  times,
  ZERO,
} from '../../src/core/poly.ts';
import { Prng } from '../support/prng.ts';

const SYMBOLS = [
  { name: 'a', min: 2, max: 5 },
  { name: 'b', min: 1, max: 4 },
  { name: 'c', min: 3, max: 3 },
];

function randomDim(r: Prng): Dim {
  return affine(
    r.int(-4, 9),
    Array.from({ length: r.int(0, 3) }, () => r.int(-2, 3)),
  );
}

/** Every value of the symbols. */
function* points(): Generator<number[]> {
  for (let a = 2; a <= 5; a++) for (let b = 1; b <= 4; b++) yield [a, b, 3];
}

it('sums, products and multiples have the values of their parts, at every point', () => {
  const r = new Prng(5);
  for (let i = 0; i < 300; i++) {
    const dims = Array.from({ length: r.int(0, 4) }, () => randomDim(r));
    const [d, e, f] = [randomDim(r), randomDim(r), r.int(-3, 3)];
    const [p, q] = [fromDim(d, SYMBOLS), fromDim(e, SYMBOLS)];
    for (const v of points()) {
      const t = v.map((x, k) => x - SYMBOLS[k]!.min);
      const [x, y] = [BigInt(dimAt(d, v)), BigInt(dimAt(e, v))];
      expect(polyAt(p, t)).toBe(x);
      expect(polyAt(add(p, q), t)).toBe(x + y);
      expect(polyAt(mul(p, q), t)).toBe(x * y);
      expect(polyAt(times(p, f), t)).toBe(x * BigInt(f));
      expect(polyAt(product(dims, SYMBOLS), t)).toBe(dims.reduce((n, z) => n * BigInt(dimAt(z, v)), 1n));
      expect(dimAt(addDim(d, e, f), v)).toBe(dimAt(d, v) + f * dimAt(e, v));
    }
    const values = [...points()].map((v) => dimAt(d, v));
    expect([least(d, SYMBOLS), greatest(d, SYMBOLS)]).toEqual([Math.min(...values), Math.max(...values)]);
  }
});

it('no term of a polynomial is 0, and equal polynomials are equal maps', () => {
  const n = fromDim({ c: 0, k: [1] }, SYMBOLS); // 2 + t
  expect(add(n, times(n, -1))).toEqual(ZERO);
  expect(times(n, 0)).toEqual(ZERO);
  expect([constant(0), constant(0n)]).toEqual([ZERO, ZERO]);
  expect([constant(-1), constant(1n)]).toEqual([new Map([['', -1n]]), new Map([['', 1n]])]);
  expect([constant(1), constant(-1n)]).toEqual([new Map([['', 1n]]), new Map([['', -1n]])]);
  expect(fromDim({ c: -2, k: [1] }, SYMBOLS)).toEqual(new Map([['1', 1n]]));
  expect(fromDim({ c: 0, k: [0, 0, 1] }, SYMBOLS)).toEqual(
    new Map([
      ['', 3n],
      ['0,0,1', 1n],
    ]),
  );
  const m = fromDim({ c: 0, k: [0, 1] }, SYMBOLS);
  expect(samePoly(mul(n, m), mul(m, n))).toBe(true);
  expect(samePoly(n, m)).toBe(false);
  expect(samePoly(n, add(n, m))).toBe(false);
  expect(samePoly(add(n, m), n)).toBe(false);
});

it('the degree is the greatest total of exponents', () => {
  const poly = (...keys: string[]): Poly => new Map(keys.map((k) => [k, 1n]));
  expect([poly(), poly(''), poly('2'), poly('1', '1,2', '2'), poly('0,0,4', '3')].map(degree)).toEqual([0, 0, 2, 3, 4]);
});

it('affine expressions have one normal form', () => {
  expect(affine(3, [])).toBe(3);
  expect(affine(3, [0, 0])).toBe(3);
  expect(affine(3, [0, 2, 0])).toEqual({ c: 3, k: [0, 2] });
  expect(addDim({ c: 1, k: [2, 1] }, { c: 4, k: [0, 1] }, -1)).toEqual({ c: -3, k: [2] });
  expect(addDim({ c: 1, k: [2] }, { c: 4, k: [2] }, -1)).toBe(-3);
  expect(addDim(5, 7)).toBe(12);
  expect(addDim(5, { c: 1, k: [0, 3] }, 2)).toEqual({ c: 7, k: [0, 6] });
});

it('equal expressions are equal dims; a symbol is itself only', () => {
  const [n, m]: Dim[] = [
    { c: 0, k: [1] },
    { c: 0, k: [0, 1] },
  ];
  const dims: Dim[] = [0, 1, n!, m!, { c: 1, k: [1] }, { c: 0, k: [2] }, { c: 0, k: [1, 1] }];
  dims.forEach((d, i) => {
    dims.forEach((e, j) => {
      expect(sameDim(d, typeof e === 'number' ? e : { c: e.c, k: [...e.k] })).toBe(i === j);
      expect(sameShape([2, d], [2, e])).toBe(i === j);
    });
  });
  expect(sameShape([2], [2, 2])).toBe(false);
  expect(sameShape([2, 2], [2])).toBe(false);
  expect(dims.map((d) => isSymbol(d, 0))).toEqual([false, false, true, false, false, false, false]);
  expect(dims.map((d) => isSymbol(d, 1))).toEqual([false, false, false, true, false, false, false]);
});
