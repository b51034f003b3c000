/**
 * Scales to integers (spec/10-ops.md §12): affine types from ranges, output stages with snapped weight scales, and the
 * shifts of linear2. f64 + − × ÷ only; a double is an exact binary rational, so every scale is one.
 * @module
 */
import type { Scale } from '../graph/ir.ts';
import { exp2i, frexp, ldexp } from './math.ts';
import type { Rounder } from './rounding.ts';

/**
 * Type of an integer tensor: real = (q − zp)·scale, lo ≤ q ≤ hi. Whole numbers are i32 and truth values bool, both with
 * scale 1 and zero point 0.
 */
export interface QType {
  readonly dtype: 'i8' | 'i16' | 'i32' | 'bool';
  readonly zp: number;
  readonly scale: number;
  readonly lo: number;
  readonly hi: number;
}

/** An interval of real values. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Accumulators stay below it. */
export const LIMIT = 2147483648;
const BIAS_LIMIT = 1073741824;
/** Nearest integer, ties up. */
export function round(v: number): number {
  return Math.floor(v + 0.5) + 0;
}

/** v cut to lo…hi. */
export function clampReal(v: number, lo: number, hi: number): number {
  return Math.min(Math.max(v, lo), hi);
}

/** A positive double as mantissa · 2^exponent with an odd mantissa below 2^53, exactly. */
export function toScale(value: number): Scale {
  const [m, e] = frexp(value);
  let mantissa = m * 9007199254740992;
  let exponent = e - 53;
  while (mantissa % 2 === 0) {
    mantissa /= 2;
    exponent += 1;
  }
  return { mantissa, exponent };
}

/** The double a stored scale stands for. */
export function fromScale(scale: Scale): number {
  return ldexp(scale.mantissa, scale.exponent);
}

/** The least double of 24 significant bits that is not below v > 0, so that a range still covers its ends. */
export function tidyScale(v: number): number {
  const [m, e] = frexp(v);
  return ldexp(Math.ceil(m * 16777216), e - 24);
}

/** Ranges narrower than this (2^−96) count as empty: their tensor is 0. */
const NARROW = exp2i(-96);

/** Asymmetric i8 type of a range: 256 steps from min(lo,0) to max(hi,0), zero exact. An empty range has scale 1. */
export function i8Type(range: Range): QType {
  const lo = Math.min(range.lo, 0);
  const hi = Math.max(range.hi, 0);
  const scale = hi - lo > NARROW ? tidyScale((hi - lo) / 255) : 1;
  return { dtype: 'i8', zp: clampReal(round(-128 - lo / scale), -128, 127), scale, lo: -128, hi: 127 };
}

/** Symmetric i16 type of a range, `headroom` times as wide; zero point 0. */
export function i16Type(range: Range, headroom: number): QType {
  const max = Math.max(Math.abs(range.lo), Math.abs(range.hi)) * headroom;
  return { dtype: 'i16', zp: 0, scale: max > NARROW ? tidyScale(max / 32767) : 1, lo: -32768, hi: 32767 };
}

/** Integers of a quantized source: (q − zero)·scale. */
export interface SourceInteger {
  readonly scale: number;
  readonly zero: number;
  readonly dtype: string;
  /** Limits of q where they are narrower than the type's. */
  readonly limits?: readonly [number, number] | undefined;
}

/** The type that holds what a source's integers stand for: u8 as q − 128; of 16 bits those whose zero can be moved to 0. */
export function toPin({ scale, zero, dtype, limits }: SourceInteger): QType | undefined {
  if (dtype === 'uint8' || dtype === 'int8') {
    const shift = dtype === 'uint8' ? 128 : 0;
    const [lo, hi] = limits ?? (dtype === 'uint8' ? [0, 255] : [-128, 127]);
    return { dtype: 'i8', zp: zero - shift, scale, lo: lo - shift, hi: hi - shift };
  }
  if (dtype !== 'uint16' && dtype !== 'int16') return undefined;
  const [lo, hi] = limits ?? (dtype === 'uint16' ? [0, 65535] : [-32768, 32767]);
  if (lo - zero < -32768 || hi - zero > 32767) return undefined;
  return { dtype: 'i16', zp: 0, scale, lo: lo - zero, hi: hi - zero };
}

/** Type of whole numbers in lo…hi. */
export function wholeType(lo: number, hi: number): QType {
  return { dtype: 'i32', zp: 0, scale: 1, lo, hi };
}

/** Type of truth values. */
export const BOOL_TYPE: QType = { dtype: 'bool', zp: 0, scale: 1, lo: 0, hi: 1 };

/** True where both stand for the same reals by the same integers, whatever their limits. */
export function sameType(a: QType, b: QType): boolean {
  return a.dtype === b.dtype && a.zp === b.zp && a.scale === b.scale;
}

/** The type with real limits folded into lo, hi; infinite ones change nothing. */
export function withLimits(type: QType, limits: Range): QType {
  const { lo: min, hi: max } = type;
  const at = (v: number, open: number): number =>
    Number.isFinite(v) ? clampReal(round(v / type.scale) + type.zp, min, max) : open;
  return { ...type, lo: at(limits.lo, min), hi: at(limits.hi, max) };
}

/** The integer that stands for a real value. */
export function quantizeValue(v: number, type: QType): number {
  return clampReal(round(v / type.scale) + type.zp, type.lo, type.hi);
}

/** Multiplier and shift of a stage without weights: m = ⌊μ·2^(32−l)+½⌋ with the least l for which m < 2^31. */
export function multiplier(mu: number): { m: number; l: number } {
  let l = 0;
  while (mu >= exp2i(l - 1)) l++;
  const m = round(mu * exp2i(32 - l));
  return m < LIMIT ? { m, l } : { m: m / 2, l: l + 1 };
}

/** The fraction p/q nearest to r > 0 with 1 ≤ p, q ≤ most, in lowest terms; undefined where r is out of their reach. */
export function fraction(r: number, most: number): { readonly p: number; readonly q: number } | undefined {
  if (!(r * most >= 1 && r <= most)) return undefined;
  let [p0, q0, p, q, rest] = [0, 1, 1, 0, r];
  for (;;) {
    const term = Math.floor(rest);
    const [room, fits] = [
      Math.min(p > 0 ? Math.floor((most - p0) / p) : term, q > 0 ? Math.floor((most - q0) / q) : term),
      (n: number) => [n * p + p0, n * q + q0] as const,
    ];
    const step = Math.min(term, room);
    const [np, nq] = fits(step);
    const better = nq > 0 && np > 0 && (q === 0 || p === 0 || Math.abs(np / nq - r) < Math.abs(p / q - r));
    if (step < term) return better ? { p: np, q: nq } : { p, q };
    [p0, q0, p, q] = [p, q, np, nq];
    if (rest === term || p / q === r) return { p, q };
    rest = 1 / (rest - term);
  }
}

/** What a linear layer computes in reals: rows of weights and biases, the input's scale and centred interval. */
export interface LayerSpec {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** Scale of x, and the interval of x − zp. */
  readonly inputScale: number;
  readonly centred: Range;
  readonly outputScale: number;
  /** Scale of each row's weights where they are integers already: they are kept as they are. */
  readonly steps?: Float64Array | undefined;
  /** Rounds a row's weights and says what the bias has to take back; absent: each weight to its nearest integer. */
  readonly rounder?: Rounder | undefined;
}

/** Integers of a linear layer: w i8 rows, b i32, one multiplier a row, and the common l; `scales` are the snapped weight scales. */
export interface LayerIntegers {
  readonly w: Int8Array;
  readonly b: Int32Array;
  readonly m: Int32Array;
  readonly l: number;
  readonly scales: Float64Array;
}

/** Starting weight scales: max|w|/127 of the row, and no smaller than keeps the bias near 2^28. */
function firstScales(spec: LayerSpec): Float64Array {
  const rows = spec.bias.length;
  const k = spec.weight.length / rows;
  const out = new Float64Array(rows);
  for (let o = 0; o < rows; o++) {
    let max = 0;
    for (let i = 0; i < k; i++) max = Math.max(max, Math.abs(spec.weight[o * k + i]!));
    out[o] = Math.max(max / 127, Math.abs(spec.bias[o]!) / (spec.inputScale * 268435456));
  }
  return out;
}

/** Least l ≤ 24 and the multipliers ⌈μ·2^(32−l)⌉ ≥ 1 for weight scales `scales`; undefined where none fits. */
export function snap(spec: LayerSpec, scales: Float64Array): { m: Int32Array; l: number } | undefined {
  const mu = scales.map((s) => (spec.inputScale * s) / spec.outputScale);
  const max = mu.reduce((a, b) => Math.max(a, b), 0);
  for (let l = 0; l <= 24; l++) {
    if (max >= exp2i(l - 1)) continue;
    const m = mu.map((v) => Math.max(1, Math.ceil(v * exp2i(32 - l))));
    if (m.every((v) => v < LIMIT)) return { m: Int32Array.from(m), l };
  }
  return undefined;
}

/** True where row o passes the proofs: |b| < 2^30, |b| + Σ|w|·X < 2^31, and |acc|·2^l < 2^31 over the accumulator's interval. */
export function proved(w: ArrayLike<number>, from: number, k: number, b: number, x: Range, l: number): boolean {
  let [plus, minus] = [0, 0];
  for (let i = from; i < from + k; i++) {
    if (w[i]! > 0) plus += w[i]!;
    else minus += w[i]!;
  }
  const bound = Math.abs(b) + (plus - minus) * Math.max(Math.abs(x.lo), Math.abs(x.hi));
  const reach = Math.max(Math.abs(b + plus * x.lo + minus * x.hi), Math.abs(b + plus * x.hi + minus * x.lo));
  return Math.abs(b) < BIAS_LIMIT && bound < LIMIT && reach * exp2i(l) < LIMIT;
}

/** Both forms of a layer's integers, kept between attempts: one multiplier for all rows, and what of its power that loses. */
export interface LayerForms {
  one?: LayerIntegers | undefined;
  each?: LayerIntegers | undefined;
  lost?: number;
}

/**
 * Quantizes a linear layer: m first, then the weight scale that m stands for, then w = ⌊w/sw+½⌋ and b = ⌊b/(sx·sw)+½⌋, so
 * that no gain error is left. A row whose proof fails gets twice its weight scale until it passes. Rows share one multiplier
 * where that loses less than the share `fine` of the layer's power.
 * Returns undefined where a row cannot pass: its bias or its gain is too large.
 */
export function quantizeLayer(spec: LayerSpec, fine = 0, forms: LayerForms = {}): LayerIntegers | undefined {
  const kept = spec.steps && keep(spec, spec.steps);
  if (kept) return kept;
  if (fine > 0 && forms.lost === undefined && spec.bias.length > 1 && spec.rounder) {
    forms.one = descend(spec, true);
    forms.lost = forms.one ? spec.rounder.lost(spec.weight, forms.one) : 1;
  }
  if (forms.one && forms.lost! < fine) return forms.one;
  forms.each ??= descend(spec, false);
  return forms.each;
}

/** Rows whose greatest weight is below this share of the layer's would lose too much to its scale. */
const EVEN = 1 / 16;

/**
 * Quantizes a linear layer in two parts, w ≈ s·(hi + lo/254): the second has the weights and biases that the first leaves
 * out. Undefined where a part cannot pass its proofs.
 */
export function quantizeParts(spec: LayerSpec): readonly [LayerIntegers, LayerIntegers] | undefined {
  const k = spec.weight.length / spec.bias.length;
  const most = firstScales({ ...spec, bias: new Float64Array(spec.bias.length) });
  const top = most.reduce((a, b) => Math.max(a, b), 0);
  const even = most.every((s) => s === 0 || s >= top * EVEN);
  const hi = descend(spec, even);
  if (!hi) return undefined;
  const weight = spec.weight.map((v, i) => v - hi.w[i]! * hi.scales[Math.floor(i / k)]!);
  const bias = spec.bias.map((v, o) => v - hi.b[o]! * hi.scales[o]! * spec.inputScale);
  const lo = descend({ ...spec, weight, bias }, even);
  return lo && [hi, lo];
}

/** The layer of weights that are integers already: kept, with the nearest multipliers; undefined where a proof fails. */
function keep(spec: LayerSpec, steps: Float64Array): LayerIntegers | undefined {
  const rows = spec.bias.length;
  const k = spec.weight.length / rows;
  const v = spec.weight.map((x, i) => round(x / steps[Math.floor(i / k)]!));
  if (v.some((x, i) => x < -128 || x > 127 || !(Math.abs(x - spec.weight[i]! / steps[Math.floor(i / k)]!) < 0.01)))
    return undefined;
  const mu = steps.map((s) => (spec.inputScale * s) / spec.outputScale);
  const top = mu.reduce((a, b) => Math.max(a, b), 0);
  let l = 0;
  while (l < 25 && top >= exp2i(l - 1)) l++;
  const m = Int32Array.from(mu, (x) => Math.min(round(x * exp2i(32 - l)), LIMIT - 1));
  const w = Int8Array.from(v);
  const bias = spec.bias.map((b, o) => round(b / (spec.inputScale * steps[o]!)));
  if (l > 24 || bias.some((b, o) => !proved(w, o * k, k, b, spec.centred, l))) return undefined;
  return { w, b: Int32Array.from(bias), m, l, scales: steps };
}

function descend(spec: LayerSpec, uniform: boolean): LayerIntegers | undefined {
  const rows = spec.bias.length;
  const k = spec.weight.length / rows;
  const start = firstScales(spec);
  if (uniform) start.fill(start.reduce((a, b) => Math.max(a, b), 0));
  for (let attempt = 0; attempt < 64; attempt++) {
    const snapped = snap(spec, start);
    if (!snapped) return undefined;
    const { m, l } = snapped;
    const scales = Float64Array.from(m, (v) => (ldexp(v, l - 32) * spec.outputScale) / spec.inputScale);
    const w = new Int8Array(rows * k);
    const b = new Int32Array(rows);
    let good = true;
    for (let o = 0; o < rows; o++) {
      const s = scales[o]!;
      const v = spec.weight.slice(o * k, (o + 1) * k).map((x) => x / s);
      const row = spec.rounder?.row(v, o) ?? Int8Array.from(v, (x) => clampReal(round(x), -127, 127));
      w.set(row, o * k);
      const error = spec.rounder?.meanError(v, row, o) ?? 0;
      const bias = round((spec.bias[o]! / s + error) / spec.inputScale);
      b[o] = clampReal(bias, -LIMIT, LIMIT - 1);
      if (proved(w, o * k, k, bias, spec.centred, l)) continue;
      good = false;
      start[o] = Math.max(start[o]!, s) * 2;
    }
    if (good) return { w, b, m, l, scales };
  }
  return undefined;
}

/** One multiplier where all are equal, else all: the canonical form of a stage's m. */
export function compactMultipliers(m: Int32Array): Int32Array {
  return m.every((v) => v === m[0]) ? m.slice(0, 1) : m;
}

/**
 * ma, mb and s of linear2 for real multipliers μa, μb: the largest s ≤ 30 with |M| ≤ 32767 and
 * |ma|·xa + |mb|·xb + |zp|·2^s + 2^(s−1) < 2^31, then without common factors of 2. Undefined where none fits.
 */
export function linearShift(
  muA: number,
  muB: number,
  xa: number,
  xb: number,
  zp: number,
): { ma: number; mb: number; s: number } | undefined {
  for (let s = 30; s >= 0; s--) {
    let [ma, mb] = [round(muA * exp2i(s)), round(muB * exp2i(s))];
    if (Math.abs(ma) > 32767 || Math.abs(mb) > 32767) continue;
    const half = s === 0 ? 0 : exp2i(s - 1);
    if (Math.abs(ma) * xa + Math.abs(mb) * xb + Math.abs(zp) * exp2i(s) + half >= LIMIT) continue;
    let shift = s;
    while (shift > 0 && ma % 2 === 0 && mb % 2 === 0) {
      [ma, mb, shift] = [ma / 2, mb / 2, shift - 1];
    }
    return { ma: ma + 0, mb: mb + 0, s: shift };
  }
  return undefined;
}

/**
 * The last convergent p/q of a positive number whose p and q are at most `most`, without a common factor; undefined where the
 * number is too great or too small for one.
 */
export function rational(value: number, most: number): readonly [p: number, q: number] | undefined {
  let [p, q, lastP, lastQ] = [1, 0, 0, 1];
  let rest = value;
  for (;;) {
    const whole = Math.floor(rest);
    const [nextP, nextQ] = [whole * p + lastP, whole * q + lastQ];
    if (!(nextP <= most && nextQ <= most)) break;
    [p, q, lastP, lastQ] = [nextP, nextQ, p, q];
    if (Math.abs(p / q / value - 1) < 1e-12) break;
    rest = 1 / (rest - whole);
  }
  return p > 0 && q > 0 ? [p, q] : undefined;
}
