/**
 * Polynomials in t = s − min(s) with integer coefficients: costs of models with symbolic dims (spec/10-ops.md §9).
 * @module
 */
import type { Dim, SymbolDecl } from './dim.ts';

/** Exponents of the symbols, comma separated, '' for the constant term → coefficient. No entry is 0. */
export type Poly = ReadonlyMap<string, bigint>;

/** The zero polynomial. */
export const ZERO: Poly = /* @__PURE__ */ new Map();

/** The constant polynomial n. */
export function constant(n: number | bigint): Poly {
  return n === 0 || n === 0n ? ZERO : new Map([['', BigInt(n)]]);
}

/** A dim as a polynomial in t: c + Σ k·min, and k per symbol. */
export function fromDim(d: Dim, symbols: readonly SymbolDecl[]): Poly {
  if (typeof d === 'number') return constant(d);
  const out = new Map<string, bigint>();
  let c = BigInt(d.c);
  d.k.forEach((k, i) => {
    c += BigInt(k) * BigInt(symbols[i]!.min);
    if (k !== 0) out.set(key(d.k.map((_, j) => (j === i ? 1 : 0))), BigInt(k));
  });
  if (c !== 0n) out.set('', c);
  return out;
}

function key(exponents: readonly number[]): string {
  let n = exponents.length;
  while (n > 0 && exponents[n - 1] === 0) n--;
  return exponents.slice(0, n).join(',');
}

/** Exponents of a key. */
export function exponents(k: string): number[] {
  return k === '' ? [] : k.split(',').map(Number);
}

/** a + b. */
export function add(a: Poly, b: Poly): Poly {
  if (a.size === 0) return b;
  const out = new Map(a);
  for (const [k, v] of b) {
    const sum = (out.get(k) ?? 0n) + v;
    if (sum === 0n) out.delete(k);
    else out.set(k, sum);
  }
  return out;
}

/** a · b. */
export function mul(a: Poly, b: Poly): Poly {
  let out: Poly = ZERO;
  for (const [ka, va] of a) {
    const ea = exponents(ka);
    const part = new Map<string, bigint>();
    for (const [kb, vb] of b) {
      const eb = exponents(kb);
      const sum = ea.length >= eb.length ? ea.map((e, i) => e + (eb[i] ?? 0)) : eb.map((e, i) => e + (ea[i] ?? 0));
      part.set(key(sum), va * vb);
    }
    out = add(out, part);
  }
  return out;
}

/** n · a. */
export function times(a: Poly, n: number | bigint): Poly {
  return n === 1 ? a : mul(a, constant(n));
}

/** The product of dims. */
export function product(dims: readonly Dim[], symbols: readonly SymbolDecl[]): Poly {
  return dims.reduce((p: Poly, d) => mul(p, fromDim(d, symbols)), constant(1));
}

/** Equal polynomials. */
export function samePoly(a: Poly, b: Poly): boolean {
  return a.size === b.size && [...a].every(([k, v]) => b.get(k) === v);
}

/** The value at t, one entry a symbol. */
export function polyAt(p: Poly, t: readonly number[]): bigint {
  let sum = 0n;
  for (const [k, v] of p) sum += exponents(k).reduce((term, e, i) => term * BigInt(t[i]!) ** BigInt(e), v);
  return sum;
}

/** The greatest total degree; 0 for a constant. */
export function degree(p: Poly): number {
  return Math.max(0, ...[...p.keys()].map((k) => exponents(k).reduce((a, b) => a + b, 0)));
}
