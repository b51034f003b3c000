/**
 * Circular and hyperbolic functions and powers, from f64 + − × ÷ and √ only (see `math.ts`). Errors are relative, u = 2^−53,
 * and hold for results in the normal range.
 * @module
 */
import { exp, log } from './math.ts';

const PIO2_HI: number = 1686629713 / 1073741824; // π/2 in three parts of 30, 30 and 53 bits: n·HI and n·MID are exact for |n| < 2^23
const PIO2_MID: number = 70064198 / 1073741824 / 1073741824;
const PIO2_LO: number = 5.170182981794105e-19;

/** Σ of the odd (from = 1) or even (from = 0) terms x^k/k! with the given sign pattern, 9 terms. */
function series(x: number, from: 0 | 1, sign: number): number {
  const z = sign * x * x;
  let p = 1;
  for (let k = 18 + from; k > from; k -= 2) p = 1 + (z * p) / (k * (k - 1));
  return from === 1 ? x * p : p;
}

/** r and the quadrant of x = r + quadrant·π/2 with |r| ≤ π/4; beyond 2^20 quadrants precision is lost gradually. */
function reduce(x: number): { readonly r: number; readonly quadrant: number } {
  const n = Math.floor(x / (Math.PI / 2) + 0.5);
  return { r: x - n * PIO2_HI - n * PIO2_MID - n * PIO2_LO, quadrant: n - 4 * Math.floor(n / 4) };
}

/** sin x: below 4u, or u absolute near its zeros beyond 0, for |x| < 2^20. */
export function sin(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { r, quadrant } = reduce(x);
  const v = quadrant % 2 === 0 ? series(r, 1, -1) : series(r, 0, -1);
  return quadrant < 2 ? v : -v;
}

/** cos x, as sin. */
export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { r, quadrant } = reduce(x);
  const v = quadrant % 2 === 0 ? series(r, 0, -1) : series(r, 1, -1);
  return quadrant === 0 || quadrant === 3 ? v : -v;
}

/** tan x = sin x / cos x: below 9u. */
export function tan(x: number): number {
  return sin(x) / cos(x);
}

/** atan x: two half-angle steps, then a series to x^25 (truncation < 1e-19): below 16u. */
export function atan(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  const inverse = a > 1;
  let t = inverse ? 1 / a : a;
  t /= 1 + Math.sqrt(1 + t * t);
  t /= 1 + Math.sqrt(1 + t * t);
  const z = t * t;
  let p = 1 / 25;
  for (let k = 23; k >= 1; k -= 2) p = 1 / k - z * p;
  const v = 4 * t * p;
  const y = inverse ? Math.PI / 2 - v : v;
  return x < 0 ? -y : y;
}

/** asin x = atan(x/√(1−x²)): below 20u; NaN beyond ±1. */
export function asin(x: number): number {
  return Math.abs(x) === 1 ? (x * Math.PI) / 2 : atan(x / Math.sqrt((1 - x) * (1 + x)));
}

/** acos x = 2·atan(√((1−x)/(1+x))): below 20u; NaN beyond ±1. */
export function acos(x: number): number {
  return x === -1 ? Math.PI : 2 * atan(Math.sqrt((1 - x) / (1 + x)));
}

/** ln(1+x): for |x| < ¼ as 2·artanh(x/(2+x)), below 6u. */
export function log1p(x: number): number {
  if (Math.abs(x) >= 0.25) return log(1 + x);
  const s = x / (2 + x);
  const z = s * s;
  let p = 1 / 25;
  for (let k = 23; k >= 1; k -= 2) p = 1 / k + z * p;
  return 2 * s * p;
}

/** sinh x: a series below ½, else (e^x − e^−x)/2: below 12u. */
export function sinh(x: number): number {
  return Math.abs(x) < 0.5 ? series(x, 1, 1) : (exp(x) - exp(-x)) / 2;
}

/** cosh x: below 8u. */
export function cosh(x: number): number {
  return (exp(x) + exp(-x)) / 2;
}

/** asinh x: below 10u. */
export function asinh(x: number): number {
  const a = Math.abs(x);
  const y = log1p(a + (a * a) / (1 + Math.sqrt(a * a + 1)));
  return x < 0 ? -y : y;
}

/** acosh x: below 10u; NaN below 1. */
export function acosh(x: number): number {
  const t = x - 1;
  return log1p(t + Math.sqrt(t * (t + 2)));
}

/** atanh x: below 10u; NaN beyond ±1. */
export function atanh(x: number): number {
  const a = Math.abs(x);
  const y = a > 1 ? Number.NaN : 0.5 * log1p((2 * a) / (1 - a));
  return x < 0 ? -y : y;
}

/** x^n for a whole n by squaring. */
function wholePower(x: number, n: number): number {
  let result = 1;
  for (let base = x, k = Math.abs(n); k > 0; k = Math.floor(k / 2)) {
    if (k % 2 === 1) result *= base;
    base *= base;
  }
  return n < 0 ? 1 / result : result;
}

/** x^y: exact products for whole |y| ≤ 64, √ for ½, else e^(y·ln x), whose error is (4 + 8·|y·ln x|)u; NaN for x < 0 and y not whole. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (Number.isInteger(y) && Math.abs(y) <= 64) return wholePower(x, y);
  if (y === 0.5) return Math.sqrt(x);
  if (x === 0) return y > 0 ? 0 : Number.POSITIVE_INFINITY;
  const v = exp(y * log(Math.abs(x)));
  if (x > 0) return v;
  return Number.isInteger(y) ? (y % 2 === 0 ? v : -v) : Number.NaN;
}
