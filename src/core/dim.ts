/**
 * Dimensions: integers, or affine expressions c + Σ kᵢ·sᵢ in the symbols of a model (spec/10-ops.md §1.3).
 * @module
 */

/** A symbol of a model: a dimension that is known at the run only, min ≤ s ≤ max. */
export interface SymbolDecl {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** c + Σ k[i]·s[i]; the last entry of k is not 0. */
export interface Affine {
  readonly c: number;
  readonly k: readonly number[];
}

/** A concrete or symbolic integer. */
export type Dim = number | Affine;

/** c + Σ k[i]·s[i] in normal form: a number where every k is 0. */
export function affine(c: number, k: readonly number[]): Dim {
  let n = k.length;
  while (n > 0 && k[n - 1] === 0) n--;
  return n === 0 ? c : { c, k: k.slice(0, n) };
}

/** a + f·b for an integer f. */
export function addDim(a: Dim, b: Dim, f = 1): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + f * b;
  const [p, q] = [toAffine(a), toAffine(b)];
  const k: number[] = [];
  for (let i = 0; i < Math.max(p.k.length, q.k.length); i++) k.push((p.k[i] ?? 0) + f * (q.k[i] ?? 0));
  return affine(p.c + f * q.c, k);
}

function toAffine(d: Dim): Affine {
  return typeof d === 'number' ? { c: d, k: [] } : d;
}

/** Equal expressions are equal dims. */
export function sameDim(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.c === b.c && a.k.length === b.k.length && a.k.every((v, i) => v === b.k[i]);
}

/** Equal rank and equal dims. */
export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => sameDim(d, b[i]!));
}

/**
 * The value of `d` at concrete symbol values. The terms are summed exactly, since products of a coefficient and a symbol
 * may exceed 2^53 and cancel; a sum beyond 2^53 comes rounded, which keeps its sign and order.
 */
export function dimAt(d: Dim, values: readonly number[]): number {
  if (typeof d === 'number') return d;
  return Number(d.k.reduce((sum, k, i) => sum + BigInt(k) * BigInt(values[i]!), BigInt(d.c)));
}

/** The least value of `d` over the box of the symbols. */
export function least(d: Dim, symbols: readonly SymbolDecl[]): number {
  return typeof d === 'number'
    ? d
    : dimAt(
        d,
        symbols.map((s, i) => ((d.k[i] ?? 0) >= 0 ? s.min : s.max)),
      );
}

/** The greatest value of `d` over the box of the symbols. */
export function greatest(d: Dim, symbols: readonly SymbolDecl[]): number {
  return typeof d === 'number'
    ? d
    : dimAt(
        d,
        symbols.map((s, i) => ((d.k[i] ?? 0) >= 0 ? s.max : s.min)),
      );
}

/** A dim for people: `3`, `n`, `2n+1`. */
export function showDim(d: Dim, symbols: readonly SymbolDecl[]): string {
  if (typeof d === 'number') return String(d);
  const terms = d.k
    .map((k, i) => (k === 0 ? '' : `${k === 1 ? '' : k}${symbols[i]?.name ?? `s${i}`}`))
    .filter((t) => t !== '');
  return `${terms.join('+')}${d.c === 0 ? '' : d.c > 0 ? `+${d.c}` : d.c}`;
}

/** True if `d` is symbol i itself. */
export function isSymbol(d: Dim, i: number): boolean {
  return typeof d !== 'number' && d.c === 0 && d.k.length === i + 1 && d.k.every((k, j) => k === (j === i ? 1 : 0));
}
